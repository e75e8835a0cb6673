import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Changes that a machine only tries, until they are verified")
  struct TrialTests {
    private func start(_ base: String) async throws -> (DriverHarness, ClusterRecord, TrustChange) {
      let harness = try await DriverHarness.start(base, controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(.talosCA, record)
      change.options.tryTimeout = .seconds(60)
      return (harness, record, change)
    }

    /// What alone is open of a machine, or nothing.
    private func open(
      _ harness: DriverHarness, _ change: TrustChange, _ machine: Machine, _ record: ClusterRecord
    ) async -> [CheckResult] {
      let access = ClusterAccess(cluster: record, rotation: change)
      var open: [CheckResult] = []
      for _ in 0..<100 {
        open = await harness.driver.verify(
          change, machine: machine, baseline: nil, access: access
        ).filter { !$0.isSettled }
        if open.allSatisfy({ $0.isNamed(.configPersisted) }) { return open }
      }
      return open
    }

    @Test("All is verified but that it is on disk; then it is made permanent, and stays")
    func permanent() async throws {
      let (harness, record, change) = try await start("127.1.101.0")
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        #expect(try await harness.driver.apply(change, to: machine, access: access) == .changed)
        // Once more, as after a lost answer: the trial goes on.
        #expect(try await harness.driver.apply(change, to: machine, access: access) == .unchanged)
        let tried = await open(harness, change, machine, record)
        #expect(tried.map(\.state) == [.waiting] && tried[0].isNamed(.configPersisted), "\(tried)")
        try await harness.driver.persist(change, on: machine, access: access)
        try await harness.driver.persist(change, on: machine, access: access)
        #expect(await open(harness, change, machine, record) == [])
      }
      #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      // Later stages go on from what is on disk.
      var next = change
      next.phase = .rotate
      let plane = record.machines[0]
      let later = ClusterAccess(cluster: record, rotation: next)
      #expect(try await harness.driver.apply(next, to: plane, access: later) == .changed)
      #expect(await open(harness, next, plane, record).count == 1)
      await harness.cluster.stop()
    }

    @Test("A machine whose trial is over is as it was: that is seen, and nothing is made permanent")
    func goesBack() async throws {
      var (harness, record, change) = try await start("127.1.102.0")
      change.options.tryTimeout = .seconds(1)
      let access = ClusterAccess(cluster: record, rotation: change)
      let worker = record.machines[1]
      for machine in record.machines {
        _ = try await harness.driver.apply(change, to: machine, access: access)
      }
      try await Task.sleep(for: .seconds(2))
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.persist(change, on: worker, access: access)
      }
      #expect(error?.code == .conflict && error?.message.contains("--try-timeout") == true)
      let seen = await harness.driver.verify(
        change, machine: worker, baseline: nil, access: access)
      #expect(seen.contains { $0.isNamed(.configApplied) && $0.state == .failed }, "\(seen)")
      #expect(try await harness.driver.apply(change, to: worker, access: access) == .changed)
      await harness.cluster.stop()
    }

    @Test("What somebody else tries is not made permanent, nor lost")
    func foreignTrial() async throws {
      let (harness, record, change) = try await start("127.1.103.0")
      let access = ClusterAccess(cluster: record, rotation: change)
      let plane = record.machines[0]
      let node = try #require(harness.cluster.node(plane.id))
      let source = String(decoding: await node.configuration, as: UTF8.self)
      let other = source.replacing("1.1.1.1", with: "9.9.9.9")
      #expect(other != source)
      try await node.write(Array(other.utf8), mode: .trial(.seconds(60)))
      let refused = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: plane, access: access)
      }
      #expect(refused?.code == .conflict && refused?.message.contains("try mode") == true)
      #expect(String(decoding: await node.configuration, as: UTF8.self) == other)
      await harness.cluster.stop()
    }

    @Test("A trial never looks as if it alone were open while something else was not asked yet")
    func notAlone() async throws {
      let harness = try await DriverHarness.start("127.1.112.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(.kubernetesCA, record)
      change.options.tryTimeout = .seconds(60)
      let access = ClusterAccess(cluster: record, rotation: change)
      let plane = record.machines[0]
      let node = try #require(harness.cluster.node(plane.id))
      #expect(try await harness.driver.apply(change, to: plane, access: access) == .changed)
      await node.setFaults { $0.apiServerDown = true }
      for _ in 0..<3 {
        let results = await harness.driver.verify(
          change, machine: plane, baseline: nil, access: access)
        let open = results.filter { !$0.isSettled }
        #expect(open.contains { !$0.isNamed(.configPersisted) }, "\(open)")
      }
      await harness.cluster.stop()
    }

    @Test(
      "What somebody stages after a machine was changed keeps it, and its stage, from being over")
    func stagedLater() async throws {
      let harness = try await DriverHarness.start("127.1.111.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      for component in SecretComponent.allCases {
        var change = try await harness.change(component, record)
        change.phase = .preRotate
        #expect(try await harness.runStage(change, record) == [])
        for machine in record.machines {
          let node = try #require(harness.cluster.node(machine.id))
          let changed = await node.configuration
          // The configuration from before: with it the authority that goes comes back at the next boot.
          let text = String(decoding: changed, as: UTF8.self)
          let staged = text.replacing("65535", with: "1024")
          #expect(staged != text)
          try await node.write(Array(staged.utf8), mode: .staged)
          let access = ClusterAccess(cluster: record, rotation: change)
          let turn = await harness.driver.verify(
            change, machine: machine, baseline: nil, access: access)
          let gate = await harness.driver.verifyCluster(change, baselines: [:], access: access)
          for results in [turn, gate.machines[machine.id] ?? []] {
            let open = results.filter { !$0.isSettled }
            #expect(
              open.contains { $0.isNamed(.configPersisted) && $0.state == .failed }, "\(open)")
            #expect(open.contains { $0.detail.contains("(staged)") })
          }
          try await node.write(changed)
          #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
        }
        change.direction = .backward
        #expect(try await harness.runStage(change, record) == [])
      }
      await harness.cluster.stop()
    }

    @Test("A change of the way back ends the trial of the way there, for good")
    func takenBack() async throws {
      let (harness, record, change) = try await start("127.1.104.0")
      let plane = record.machines[0]
      _ = try await harness.driver.apply(
        change, to: plane, access: ClusterAccess(cluster: record, rotation: change))
      var back = change
      back.direction = .backward
      let access = ClusterAccess(cluster: record, rotation: back)
      #expect(try await harness.driver.apply(back, to: plane, access: access) == .changed)
      #expect(await open(harness, back, plane, record) == [])
      await harness.cluster.stop()
    }

    @Test(
      "A Talos that does not show what is on its disk tries nothing, and is refused at the start")
    func oldTalos() async throws {
      let harness = try await DriverHarness.start("127.1.105.0", controlPlanes: 1, workers: 0) {
        $0.talosVersion = "v1.9.5"
      }
      let record = try await harness.importCluster()
      let options = RotationOptions(tryTimeout: .seconds(60))
      let preflight = try await harness.driver.preflight(
        .talosCA, options: options, access: ClusterAccess(cluster: record))
      #expect(preflight.findings.map(\.kind) == [.unsupportedVersion], "\(preflight.findings)")
      #expect(preflight.notes.contains { $0.contains("does not show what is on the disk") })
      var change = try await harness.change(.talosCA, record)
      change.options = options
      let access = ClusterAccess(cluster: record, rotation: change)
      let plane = record.machines[0]
      let refused = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: plane, access: access)
      }
      #expect(refused?.message.contains("--try") == true && refused?.sent == false)
      // Without a trial it is rotated as ever.
      change.options = RotationOptions()
      let plain = ClusterAccess(cluster: record, rotation: change)
      #expect(try await harness.driver.apply(change, to: plane, access: plain) == .changed)
      await harness.cluster.stop()
    }
  }
}
