import Crypto
import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  /// Whoever is to be left out is looked for by every way by which somebody could still be let in there.
  @Suite("Machines that are to be left out are looked for")
  struct LookedForTests {
    private func preflight(
      _ harness: DriverHarness, _ record: ClusterRecord, leaving names: Set<String>,
      retired: [SealedAuthority] = []
    ) async throws -> Preflight {
      var access = ClusterAccess(cluster: record)
      access.retired = RetiredAuthorities(retired)
      return try await harness.driver.preflight(
        .talosCA, options: RotationOptions(leftOut: LeftOutMachines(names)), access: access)
    }

    @Test(
      "A machine that only another control plane's discovery knows is found before it is excused")
    func otherView() async throws {
      let harness = try await DriverHarness.start("127.1.210.0", controlPlanes: 2, workers: 2) {
        $0.withoutKubernetes = true
      }
      var record = try await harness.importCluster()
      let hidden = record.machines.removeLast()
      await harness.cluster.nodes[0].setMemberLies([.hide(hidden.id)])
      let before = try await preflight(harness, record, leaving: [])
      #expect(before.obstacles(RotationOptions()).map(\.subject) == [hidden.id])
      for word in [hidden.id, hidden.identity] {
        let looked = try await preflight(harness, record, leaving: [word])
        #expect(
          looked.findings.contains {
            $0.kind == .notCovered && $0.subject == hidden.id
              && $0.message.contains("it lets omnid in at \(hidden.address)")
          }, "\(looked.findings)")
        #expect(looked.leftOut == LeftOutMachines(identities: [word: hidden.identity]))
      }
      // In a rotation it takes its turn, and at the gate, should it have come since, it is told of.
      var change = try await harness.change(.talosCA, record)
      change.options.leftOut = LeftOutMachines([hidden.id])
      let access = ClusterAccess(cluster: record, rotation: change)
      #expect(
        try await harness.driver.members(access).contains { $0.identity == hidden.identity })
      let gate = await harness.driver.coverageChecks(change, access)
      #expect(
        gate.check.state == .failed && gate.check.detail.contains("it lets omnid in"), "\(gate)")

      await harness.cluster.node(hidden.id)?.powerOff()
      let left = try await preflight(harness, record, leaving: [hidden.id])
      #expect(left.obstacles(RotationOptions()) == [], "\(left.findings)")
      #expect(left.leftOut == LeftOutMachines(identities: [hidden.id: hidden.identity]))
      #expect(left.notes.contains { $0.contains("\(hidden.identity)) is left out") })
      #expect(await harness.driver.coverageChecks(change, access).check.state == .passed)
      // An import asks every control plane, too.
      let talosconfig = harness.cluster.talosconfig
      let found = try await harness.driver.discover(
        DiscoveryRequest(
          name: "demo", talosconfig: talosconfig, leftOut: LeftOutMachines([hidden.id])))
      #expect(found.record.machines.count == 3)
      try await harness.cluster.node(hidden.id)?.powerOn()
      _ = await harness.cluster.settle()
      let refused = await #expect(throws: DriverError.self) {
        _ = try await harness.driver.discover(
          DiscoveryRequest(
            name: "demo", talosconfig: talosconfig, leftOut: LeftOutMachines([hidden.id])))
      }
      #expect(refused?.code == .conflict && refused?.message.contains(hidden.id) == true)
      await harness.cluster.stop()
    }

    @Test("A control plane that this host cannot reach is found through the others")
    func firewall() async throws {
      let harness = try await DriverHarness.start("127.1.211.0", controlPlanes: 3, workers: 0) {
        $0.withoutKubernetes = true
      }
      var record = try await harness.importCluster()
      let (first, port) = (record.machines[0], record.machines[0].port)
      // Nobody listens at the port at which this host has it.
      record.machines[2].port = 1
      let plane = record.machines[2]
      record.endpoints = ["\(first.address):\(port)"]
      let looked = try await preflight(harness, record, leaving: [plane.id])
      #expect(
        looked.findings.contains {
          $0.kind == .notCovered
            && $0.message.contains("it lets omnid in at \(plane.address), through")
        }, "\(looked.findings)")
      var change = try await harness.change(.talosCA, record)
      change.options.leftOut = LeftOutMachines([plane.id])
      let access = ClusterAccess(cluster: record, rotation: change)
      #expect(try await harness.driver.members(access).contains { $0.id == plane.id })
      #expect(await harness.driver.departure(of: plane, access: access) != .said)
      // An import that is to leave it out finds it as well.
      let request = DiscoveryRequest(
        name: "demo", talosconfig: harness.cluster.talosconfig,
        endpoints: ["\(first.address):\(port)", "\(plane.address):1"],
        leftOut: LeftOutMachines([plane.id]))
      let refused = await #expect(throws: DriverError.self) {
        _ = try await harness.driver.discover(request)
      }
      #expect(
        refused?.code == .conflict && refused?.message.contains(", through ") == true,
        "\(refused as Any)")

      await harness.cluster.node(plane.id)?.powerOff()
      let left = try await preflight(harness, record, leaving: [plane.id])
      #expect(left.obstacles(RotationOptions()) == [], "\(left.findings)")
      let found = try await harness.driver.discover(request)
      #expect(found.record.machines.count == 2)
      #expect(found.record.endpoints == ["\(first.address):\(port)"])
      await harness.cluster.stop()
    }

    @Test(
      "A machine to which somebody has given a retired CA again is there, although it lets only that one's clients in"
    )
    func retired() async throws {
      let harness = try await DriverHarness.start("127.1.212.0", controlPlanes: 3, workers: 0) {
        $0.withoutKubernetes = true
      }
      let record = try await harness.importCluster()
      let plane = record.machines[2]
      let node = try #require(harness.cluster.node(plane.id))
      let before = await node.configuration
      let (change, open) = try await harness.rotate(.talosCA, record)
      #expect(open == [])
      var renewed = record
      renewed.authorities[.talosCA] = change.new
      try await node.write(before)
      _ = await harness.cluster.settle()

      var access = ClusterAccess(cluster: renewed)
      #expect(await harness.driver.trace(of: [plane], access) == nil, "a stranger's certificate")
      access.retired = RetiredAuthorities([change.old])
      let sign = await harness.driver.trace(of: [plane], access)
      #expect(
        sign
          == "it lets clients of the retired CA \(change.old.fingerprint.prefix(12)) in at \(plane.address)"
      )
      // Whoever has only its certificate knows that it is there, too.
      var keyless = change.old
      keyless.sealedKey = []
      access.retired = RetiredAuthorities([keyless])
      #expect(await harness.driver.trace(of: [plane], access) != nil)
      let looked = try await preflight(
        harness, renewed, leaving: [plane.id], retired: [change.old])
      #expect(
        looked.findings.contains { $0.kind == .notCovered && $0.message.contains("retired CA") },
        "\(looked.findings)")
      // A rotation that was taken over trusts the new CA alone, and looks for who lives by the old one.
      var adopted = change
      adopted.options.leftOut = LeftOutMachines([plane.id])
      let taken = ClusterAccess(cluster: renewed, rotation: adopted)
      #expect(await harness.driver.trace(of: [plane], taken) != nil)
      #expect(await harness.driver.departure(of: plane, access: taken) != .said)
      // Nor is its endpoint left out while it answers there.
      var without = renewed
      without.machines.removeLast()
      // Off the record it claims to be a control plane, which it cannot prove; that it is there is told of all the same.
      let refused = await #expect(throws: DriverError.self) {
        _ = try await preflight(harness, without, leaving: [plane.id], retired: [change.old])
      }
      #expect(
        refused?.code == .conflict && refused?.message.contains("retired CA") == true,
        "\(refused as Any)")
      without.endpoints = ["\(plane.address):\(plane.port)"]
      await harness.cluster.setMemberLies([.hide(plane.id)])
      let endpoint = try await preflight(
        harness, without, leaving: [plane.address], retired: [change.old])
      #expect(endpoint.goneEndpoints == [])
      #expect(
        endpoint.obstacles(RotationOptions()).contains {
          $0.message.contains("to be left out, but")
        },
        "\(endpoint.findings)")
      await harness.cluster.stop()
    }

    @Test("An endpoint that nobody answers at keeps a start waiting until it is left out")
    func endpoint() async throws {
      let harness = try await DriverHarness.start("127.1.213.0", controlPlanes: 1, workers: 0) {
        $0.withoutKubernetes = true
      }
      var record = try await harness.importCluster()
      let gone = "127.1.213.99:\(harness.cluster.port)"
      record.endpoints.append(gone)
      let before = try await preflight(harness, record, leaving: [])
      let obstacle = try #require(before.obstacles(RotationOptions()).first)
      #expect(obstacle.kind == .notCovered && obstacle.message.contains("--leave-out \(gone)"))
      for word in [gone, "127.1.213.99"] {
        let left = try await preflight(harness, record, leaving: [word])
        #expect(left.obstacles(RotationOptions()) == [], "\(left.findings)")
        #expect(left.goneEndpoints == [gone] && left.leftOut.isEmpty)
        #expect(
          left.notes.contains { $0.hasPrefix("\(gone) of the talosconfig is left out") }
            && !left.notes.contains { $0.contains("no machine is known") }, "\(left.notes)")
      }
      await harness.cluster.stop()
    }

    private func survey(
      _ harness: DriverHarness, _ known: ClusterRecord, leaving names: Set<String>,
      access: DiscoveryRequest? = nil
    ) async throws(DriverError) -> SurveyedCluster {
      try await harness.driver.survey(
        SurveyRequest(
          cluster: "demo", rotation: "r9", known: known, retired: RetiredAuthorities(),
          access: access, leftOut: LeftOutMachines(names)))
    }

    @Test(
      "A take-over goes on without a control plane on record that is gone, and names it until it is left out"
    )
    func takeOver() async throws {
      let harness = try await DriverHarness.start("127.1.214.0", controlPlanes: 3, workers: 1) {
        $0.withoutKubernetes = true
      }
      let record = try await harness.importCluster()
      let plane = record.machines[2]
      await harness.cluster.node(plane.id)?.powerOff()
      for isForgotten in [false, true] {
        await harness.cluster.setMemberLies(isForgotten ? [.hide(plane.id)] : [])
        if isForgotten {
          let named = try await survey(harness, record, leaving: [])
          #expect(named.findings.map(\.subject) == [plane.id], "\(named.findings)")
          #expect(named.findings.first?.message.contains("--leave-out \(plane.id)") == true)
        }
        for access in [
          nil, DiscoveryRequest(name: "demo", talosconfig: harness.cluster.talosconfig),
        ] {
          let left = try await survey(
            harness, record, leaving: [plane.id, "nobody"], access: access)
          #expect(left.findings == [] && left.record.machines.count == 3)
          #expect(left.leftOut == LeftOutMachines(identities: [plane.id: plane.identity]))
          #expect(left.warnings.contains { $0.contains("\(plane.identity)) is left out") })
          #expect(left.warnings.contains { $0.hasPrefix("nobody: no machine is known") })
          #expect(
            !left.record.endpoints.contains { $0.hasPrefix("\(plane.address):") },
            "\(left.record.endpoints)")
        }
      }
      try await harness.cluster.node(plane.id)?.powerOn()
      _ = await harness.cluster.settle()
      let there = await #expect(throws: DriverError.self, "discovery does not know it") {
        _ = try await survey(harness, record, leaving: [plane.id])
      }
      #expect(there?.code == .conflict && there?.message.contains("is answered by") == true)
      await harness.cluster.setMemberLies([])
      let all = try await survey(harness, record, leaving: [plane.id])
      #expect(all.record.machines.count == 4 && all.leftOut.isEmpty)
      #expect(all.warnings.contains { $0.hasPrefix("\(plane.id) is not left out") })
      await harness.cluster.stop()
    }

    @Test("A take-over looks for a machine where the record has it, whatever it announces")
    func announcedElsewhere() async throws {
      let harness = try await DriverHarness.start("127.1.216.0", controlPlanes: 1, workers: 1) {
        $0.withoutKubernetes = true
      }
      let record = try await harness.importCluster()
      let worker = record.machines[1]
      await harness.cluster.setMemberLies([
        .change(worker.id) { $0.addresses = ["127.1.216.99"] }
      ])
      let there = await #expect(throws: DriverError.self) {
        _ = try await survey(harness, record, leaving: [worker.id])
      }
      #expect(
        there?.code == .conflict
          && there?.message.contains("it lets omnid in at \(worker.address)") == true,
        "\(there as Any)")
      await harness.cluster.stop()
    }

    @Test("A machine that was set up anew under its name is no machine that is gone")
    func replaced() async throws {
      let harness = try await DriverHarness.start("127.1.217.0", controlPlanes: 3, workers: 0)
      let record = try await harness.importCluster()
      var older = record
      older.machines[2].identity = "an0theran0theran0theran0theran0theran0ther12"
      let surveyed = try await survey(harness, older, leaving: [])
      #expect(surveyed.findings == [], "\(surveyed.findings)")
      #expect(
        surveyed.warnings.contains {
          $0.hasPrefix("\(older.machines[2].id) was set up anew since")
        }, "\(surveyed.warnings)")
      #expect(Set(surveyed.record.machines.map(\.identity)) == Set(record.machines.map(\.identity)))
      await harness.cluster.stop()
    }

    @Test(
      "A control plane that one view alone knows, and that does not answer, is asked of the others")
    func ghostPlane() async throws {
      let harness = try await DriverHarness.start("127.1.218.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      let access = ClusterAccess(cluster: record)
      let ghost = MemberLie.add(
        TalosSimulator.ClusterMember(
          name: "cp-9", nodeID: "gh0stgh0stgh0stgh0stgh0stgh0stgh0stgh0st1234",
          addresses: ["127.1.218.77"], type: .controlPlane))
      await harness.cluster.nodes[0].setMemberLies([ghost])
      #expect(try await harness.driver.members(access) == record.machines)
      await harness.cluster.setMemberLies([ghost])
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.members(access)
      }
      #expect(error?.message.contains("--leave-out cp-9") == true, "\(error as Any)")
      await harness.cluster.stop()
    }

    @Test("Members that swallow what is sent to them are asked at once, and each is named")
    func swallowed() async throws {
      let harness = try await DriverHarness.start("127.1.215.0", controlPlanes: 1, workers: 1) {
        $0.withoutKubernetes = true
      }
      let record = try await harness.importCluster()
      let slow = try #require(record.machines.last)
      let names = (10..<34).map { "ghost-\($0)" }
      var settings = TalosDriverSettings()
      settings.callTimeout = .seconds(10)
      settings.memberTimeout = .seconds(1)
      let driver = TalosDriver(
        sealer: try Sealer(masterKey: Random.bytes(32)), settings: settings, now: DriverHarness.now)
      let known = try await driver.discover(
        DiscoveryRequest(name: "demo", talosconfig: harness.cluster.talosconfig)
      ).record
      await harness.cluster.node(slow.id)?.setFaults { $0.latency = .seconds(60) }
      await harness.cluster.setMemberLies(
        names.enumerated().map { index, name in
          .add(
            TalosSimulator.ClusterMember(
              name: name, nodeID: "gh0stgh0stgh0stgh0stgh0stgh0stgh0stgh0st1\(10 + index)",
              addresses: [slow.address], type: .worker))
        })
      let begin = ContinuousClock.now
      let looked = try await driver.preflight(
        .talosCA, options: RotationOptions(), access: ClusterAccess(cluster: known))
      // One after the other, each for the time of a call, it would be 4 minutes.
      #expect(ContinuousClock.now - begin < .seconds(60))
      #expect(looked.machines.map(\.id).sorted() == (record.machines.map(\.id) + names).sorted())
      let silent = looked.findings.filter { $0.kind == .unreachable }
      #expect(silent.map(\.subject) == [slow.id] + names)
      #expect(silent.last?.message.contains("ghost-33 does not answer within 1 s") == true)
      await harness.cluster.stop()
    }
  }
}
