import Crypto
import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("What machines show of the other CA while one is being rotated")
  struct RotatedElsewhereTests {
    /// Another omnid, whose keys this one does not know. Its CAs are a second younger at least.
    private func otherTool(_ harness: DriverHarness) async throws -> DriverHarness {
      try await Task.sleep(for: .milliseconds(1100))
      return DriverHarness(
        cluster: harness.cluster,
        driver: TalosDriver(
          sealer: try Sealer(masterKey: Random.bytes(32)), settings: harness.driver.settings,
          now: DriverHarness.now))
    }

    private func survey(
      _ harness: DriverHarness, _ known: ClusterRecord, running: TrustChange,
      talosconfig: String? = nil
    ) async throws(DriverError) -> SurveyedCluster {
      try await harness.driver.survey(
        SurveyRequest(
          cluster: "demo", rotation: "r9", known: known, retired: RetiredAuthorities(),
          access: talosconfig.map { DiscoveryRequest(name: "demo", talosconfig: $0) },
          running: running))
    }

    private func coverage(
      _ harness: DriverHarness, _ change: TrustChange, _ record: ClusterRecord
    ) async -> CheckResult {
      await harness.driver.coverageChecks(
        change, ClusterAccess(cluster: record, rotation: change)
      ).check
    }

    @Test(
      "A Kubernetes CA that was rotated elsewhere keeps coverage, with the command that leads on; a survey in the midst of the Talos CA's rotation gives the new one",
      arguments: [RotationPhase.preRotate, .rotate, .postRotate])
    func kubernetes(phase: RotationPhase) async throws {
      let harness = try await DriverHarness.start(
        "127.1.\(200 + phase.rawValue).0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let other = try await otherTool(harness)
      let theirs = try await other.importCluster()
      let (rival, open) = try await other.rotate(.kubernetesCA, theirs)
      #expect(open == [])
      var change = try await harness.change(.talosCA, record)
      for one in RotationPhase.allCases where one.rawValue <= phase.rawValue {
        change.phase = one
        let access = ClusterAccess(cluster: record, rotation: change)
        for machine in record.machines {
          try await harness.applied(change, to: machine, access)
          _ = await harness.verified(change, machine, record)
        }
      }
      if phase != .preRotate {
        let check = await coverage(harness, change, record)
        #expect(check.state == .failed, "\(check)")
        #expect(
          check.detail.contains(
            "omnictl cluster -n demo secret rotate adopt puts the new one on record"),
          "\(check)")
      }
      let standing = await harness.driver.standing(
        ClusterAccess(cluster: record, rotation: change))
      #expect(standing.fault?.component == .kubernetesCA, "\(standing)")
      let surveyed = try await survey(harness, record, running: change)
      #expect(surveyed.unfinished.map(\.component) == [.kubernetesCA] && surveyed.unclear == [])
      #expect(surveyed.findings == [])
      let found = try #require(surveyed.unfinished.first)
      #expect(found.machines.allSatisfy { $0.standing == .finished })
      #expect(found.machines.allSatisfy { $0.accepted == [rival.new.fingerprint] })
      let seen = try #require(surveyed.record.authorities[.kubernetesCA])
      #expect(seen.fingerprint == rival.new.fingerprint && seen.hasKey)
      #expect(seen.binding == AuthorityBinding(cluster: "demo", component: .kubernetesCA))
      let keys = try [
        harness.driver.keyring.keyPEM(seen), other.driver.keyring.keyPEM(rival.new),
      ].map(\.unprotectedText)
      #expect(keys[0] == keys[1])
      var followed = record
      followed.authorities[.kubernetesCA] = seen
      #expect(
        await harness.driver.standing(ClusterAccess(cluster: followed, rotation: change)).fault?
          .component != .kubernetesCA)
      if phase != .preRotate { #expect(await coverage(harness, change, followed).isSettled) }
      await harness.cluster.stop()
    }

    @Test(
      "A Talos CA that was replaced in the midst of the Kubernetes CA's rotation is named with the command that leads on, and a survey with a talosconfig gives it"
    )
    func talos() async throws {
      let harness = try await DriverHarness.start("127.1.204.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(.kubernetesCA, record)
      #expect(try await harness.runStage(change, record) == [])
      change.phase = .rotate
      #expect(try await harness.runStage(change, record) == [])
      let other = try await otherTool(harness)
      let theirs = try await other.importCluster()
      let (rival, open) = try await other.rotate(.talosCA, theirs)
      #expect(open == [])
      var renewed = theirs
      renewed.authorities[.talosCA] = rival.new
      let talosconfig = try await other.driver.talosconfig(
        ClusterAccess(cluster: renewed), roles: ["os:admin"], ttl: .seconds(3600)
      ).text

      let way = "omnictl cluster adopt demo --talosconfig FILE"
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        let look = await harness.driver.verify(
          change, machine: machine, baseline: nil, access: access)
        let reachable = try #require(look.first { $0.isNamed(.reachable) })
        #expect(reachable.state == .failed && reachable.detail.contains(way), "\(reachable)")
      }
      let members = await #expect(throws: DriverError.self) {
        try await harness.driver.members(access)
      }
      #expect(members?.message.contains(way) == true, "\(members as Any)")
      let standing = await harness.driver.standing(access)
      #expect(standing.fault?.component == .talosCA, "\(standing)")
      #expect(standing.fault?.reason.contains(way) == true, "\(standing)")

      let refused = await #expect(throws: DriverError.self) {
        try await survey(harness, record, running: change)
      }
      #expect(refused?.code == .unauthenticated, "\(refused as Any)")
      let surveyed = try await survey(
        harness, record, running: change, talosconfig: talosconfig)
      #expect(surveyed.unfinished.map(\.component) == [.talosCA] && surveyed.unclear == [])
      #expect(surveyed.unfinished.first?.machines.allSatisfy { $0.standing == .finished } == true)
      let seen = try #require(surveyed.record.authorities[.talosCA])
      #expect(seen.fingerprint == rival.new.fingerprint && seen.hasKey)
      #expect(seen.binding == AuthorityBinding(cluster: "demo", component: .talosCA))
      // With it on record the rotation ends.
      var followed = record
      followed.authorities[.talosCA] = seen
      change.phase = .postRotate
      #expect(try await harness.runStage(change, followed) == [])
      await harness.cluster.stop()
    }

    @Test(
      "A Kubernetes CA that has expired by every clock keeps a rotation of the Talos CA from nothing, and a start tells of it"
    )
    func expired() async throws {
      let clock = HostClock()
      let harness = try await DriverHarness.start(
        "127.1.205.0", controlPlanes: 2, workers: 1, clock: clock
      ) { $0.kubernetesCALifetime = .seconds(1200) }
      let record = try await harness.importCluster()
      let authority = try #require(record.authorities[.kubernetesCA])
      let end = try #require(harness.driver.describe(authority)).notAfter
      func notes(_ soak: Soak?, _ component: SecretComponent) async throws -> [String] {
        try await harness.driver.preflight(
          component, options: RotationOptions(soak: soak), access: ClusterAccess(cluster: record)
        ).notes.filter { $0.contains("\(end)") }
      }
      for soak in [nil, .untilContinued, .lasting(.seconds(3600))] as [Soak?] {
        let told = try await notes(soak, .talosCA)
        #expect(told.count == 1 && told.first?.contains("rotate the kubernetes-ca first") == true)
      }
      var change = try await harness.change(.talosCA, record)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [])
      }
      clock.pass(seconds: 1800)
      // This host's clock may be ahead: the machines say that they are not past the end.
      let early = await coverage(harness, change, record)
      #expect(
        early.state == .failed && early.detail.contains("set the wrong one right"), "\(early)")
      // Machines that reach no time server cannot say their time: then this host's has to do.
      for node in harness.cluster.nodes { await node.setFaults { $0.timeServerDown = true } }
      let passed = await coverage(harness, change, record)
      #expect(passed.state == .passed, "\(passed)")
      #expect(
        passed.detail.contains("are not compared, because the kubernetes-ca")
          && passed.detail.contains("has expired on \(end)"), "\(passed)")
      change.phase = .postRotate
      #expect(try await harness.runStage(change, record) == [])
      await harness.cluster.stop()
    }

    @Test("Of one that lasts until the rotation is over for certain nothing is said")
    func lasting() async throws {
      let harness = try await DriverHarness.start(
        "127.1.206.0", controlPlanes: 1, workers: 1
      ) { $0.kubernetesCALifetime = .seconds(40 * 86_400) }
      let record = try await harness.importCluster()
      func isTold(_ soak: Soak?) async throws -> Bool {
        try await harness.driver.preflight(
          .talosCA, options: RotationOptions(soak: soak), access: ClusterAccess(cluster: record)
        ).notes.contains { $0.contains("kubernetes-ca") }
      }
      #expect(try await !isTold(nil))
      #expect(try await !isTold(.untilContinued))
      #expect(try await !isTold(.lasting(.seconds(30 * 86_400))))
      #expect(try await isTold(.lasting(.seconds(41 * 86_400))))
      await harness.cluster.stop()
    }

    @Test("One that has expired and was rotated elsewhere since has to be taken up all the same")
    func expiredAndRotated() async throws {
      let clock = HostClock()
      let harness = try await DriverHarness.start(
        "127.1.207.0", controlPlanes: 2, workers: 1, clock: clock
      ) { $0.kubernetesCALifetime = .seconds(1200) }
      let record = try await harness.importCluster()
      let other = try await otherTool(harness)
      let (_, open) = try await other.rotate(.kubernetesCA, try await other.importCluster())
      #expect(open == [])
      var change = try await harness.change(.talosCA, record)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        let access = ClusterAccess(cluster: record, rotation: change)
        for machine in record.machines {
          try await harness.applied(change, to: machine, access)
          _ = await harness.verified(change, machine, record)
        }
      }
      clock.pass(seconds: 1800)
      for node in harness.cluster.nodes { await node.setFaults { $0.timeServerDown = true } }
      let check = await coverage(harness, change, record)
      #expect(check.state == .failed && check.detail.contains("secret rotate adopt"), "\(check)")
      await harness.cluster.stop()
    }
  }
}
