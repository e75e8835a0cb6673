import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("An old CA that expires while its rotation runs")
  struct ExpiringAuthorityTests {
    private func start(
      _ base: String, _ component: SecretComponent, lifetime: Duration, _ clock: HostClock
    ) async throws -> DriverHarness {
      try await DriverHarness.start(base, controlPlanes: 2, workers: 1, clock: clock) {
        switch component {
        case .talosCA: $0.talosCALifetime = lifetime
        case .kubernetesCA: $0.kubernetesCALifetime = lifetime
        }
      }
    }

    private func end(of authority: SealedAuthority, _ harness: DriverHarness) throws -> Instant {
      try #require(harness.driver.describe(authority)).notAfter
    }

    /// Whether the checks of that name are about a CA that has expired, and say when.
    private func isExcused(
      _ results: [CheckResult], _ name: CheckName, since end: Instant, count: Int
    ) -> Bool {
      let found = results.filter { $0.isNamed(name) }
      return found.count == count
        && found.allSatisfy {
          $0.state == .notApplicable && $0.detail.contains("expired on \(end)")
        }
    }

    @Test(
      "By omnid's clock alone, where machines cannot say theirs: the gate of ROTATE and all of POST_ROTATE are passed with the new CA",
      arguments: SecretComponent.allCases)
    func byOneClock(component: SecretComponent) async throws {
      let clock = HostClock()
      let base = component == .talosCA ? "127.1.180.0" : "127.1.181.0"
      let harness = try await start(base, component, lifetime: .seconds(1200), clock)
      let record = try await harness.importCluster()
      var change = try await harness.change(component, record)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [])
      }
      let end = try end(of: change.old, harness)
      clock.pass(seconds: 1800)
      let access = ClusterAccess(cluster: record, rotation: change)
      // This host's clock may be ahead: that clients are refused has to be seen until the machines are past the end too.
      for machine in record.machines {
        let early = await harness.driver.unasked(.oldRefused, change.old, by: machine, access)
        #expect(early?.state == .waiting && early?.detail.contains(machine.id) == true)
      }
      // Machines that reach no time server cannot say their time: then this host's has to do.
      for node in harness.cluster.nodes { await node.setFaults { $0.timeServerDown = true } }
      #expect(await harness.driver.standing(access) == .current)
      #expect(try await harness.driver.members(access) == record.machines)
      let worker = harness.cluster.nodes[2]
      if component == .kubernetesCA {
        // Their certificates are of the old CA until POST_ROTATE, so that API servers hear nothing of them.
        await worker.setFaults { $0.notReady = true }
      }
      let gate = await harness.gate(change, record)
      #expect(gate.filter { !$0.isSettled } == [])
      if component == .kubernetesCA {
        #expect(isExcused(gate, .kubeletClient, since: end, count: 3))
        let nodes = gate.filter { $0.isNamed(.nodeReady) }
        #expect(nodes.filter { $0.state == .notApplicable }.count == 1 && nodes.count == 3)
        change.phase = .postRotate
        let look = await harness.driver.verify(
          change, machine: record.machines[2], baseline: nil,
          access: ClusterAccess(cluster: record, rotation: change))
        #expect(look.first { $0.isNamed(.kubeletClient) }?.state == .waiting)
        #expect(look.first { $0.isNamed(.nodeReady) }?.state == .waiting)
        await worker.setFaults { $0.notReady = false }
      }
      let accepts: CheckName =
        component == .talosCA ? .oldClientAccepted : .apiServerAcceptsOld
      let askable = component == .talosCA ? 3 : 2
      #expect(isExcused(gate, accepts, since: end, count: askable))
      change.phase = .postRotate
      #expect(try await harness.runStage(change, record) == [])
      let last = await harness.gate(change, record)
      #expect(last.filter { !$0.isSettled } == [])
      #expect(isExcused(last, .oldRefused, since: end, count: askable))
      #expect(isExcused(last, .furtherAddresses, since: end, count: 1))
      await harness.cluster.stop()
    }

    @Test(
      "By every clock: a CA that ends after ROTATE keeps POST_ROTATE from nothing",
      arguments: SecretComponent.allCases)
    func byAllClocks(component: SecretComponent) async throws {
      let base = component == .talosCA ? "127.1.182.0" : "127.1.183.0"
      let harness = try await start(base, component, lifetime: .seconds(25), HostClock())
      let record = try await harness.importCluster()
      var change = try await harness.change(component, record)
      let end = try end(of: change.old, harness)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [])
      }
      let left = end.secondsSince1970 - DriverHarness.now()
      try #require(left >= 0, "the CA has ended too early for this test")
      try await Task.sleep(for: .seconds(left + 1))
      let gate = await harness.gate(change, record)
      #expect(gate.filter { !$0.isSettled } == [])
      change.phase = .postRotate
      #expect(try await harness.runStage(change, record) == [])
      await harness.cluster.stop()
    }

    @Test(
      "A control plane whose API server shows a certificate of the expired CA holds no other up")
    func expiredAPIServer() async throws {
      let harness = try await start(
        "127.1.184.0", .kubernetesCA, lifetime: .seconds(20), HostClock())
      let record = try await harness.importCluster()
      var change = try await harness.change(.kubernetesCA, record)
      let end = try end(of: change.old, harness)
      #expect(try await harness.runStage(change, record) == [])
      change.phase = .rotate
      let access = ClusterAccess(cluster: record, rotation: change)
      let left = end.secondsSince1970 - DriverHarness.now()
      try #require(left >= 0, "the CA has ended too early for this test")
      try await Task.sleep(for: .seconds(left + 1))
      for machine in record.machines.prefix(2) {
        try await harness.applied(change, to: machine, access)
        _ = await harness.cluster.settle()
      }
      await harness.cluster.stop()
    }

    @Test("A start is refused whose soak ends after the old CA, and one close to its end says so")
    func start() async throws {
      let clock = HostClock()
      let harness = try await start(
        "127.1.185.0", .talosCA, lifetime: .seconds(40 * 86_400), clock)
      let record = try await harness.importCluster()
      let end = try end(of: try #require(record.authorities[.talosCA]), harness)
      func preflight(_ soak: Soak?, _ component: SecretComponent) async throws -> Preflight {
        try await harness.driver.preflight(
          component, options: RotationOptions(soak: soak), access: ClusterAccess(cluster: record))
      }
      // The other CA's rotation needs the Talos API just as much.
      for component in SecretComponent.allCases {
        let long = try await preflight(.lasting(.seconds(41 * 86_400)), component)
        #expect(long.findings.map(\.kind.rawValue) == ["expiringAuthority"])
        #expect(long.findings.first?.message.contains("\(end)") == true)
        #expect(long.obstacles(RotationOptions(removeForeign: true, allowUnready: true)).count == 1)
        let short = try await preflight(.lasting(.seconds(86_400)), component)
        #expect(short.findings == [] && !short.notes.contains { $0.contains("\(end)") })
      }
      let late = try await self.start(
        "127.1.186.0", .talosCA, lifetime: .seconds(7200), clock)
      let soon = try await late.importCluster()
      let near = try self.end(of: try #require(soon.authorities[.talosCA]), late)
      let told = try await late.driver.preflight(
        .talosCA, options: RotationOptions(), access: ClusterAccess(cluster: soon))
      #expect(told.notes.contains { $0.contains("\(near)") })
      await late.cluster.stop()
      await harness.cluster.stop()
    }
  }
}
