import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("One control plane at a time, at a real machine's pace")
  struct OneControlPlaneTests {
    @Test(
      "Nothing that comes before the restart counts as done, and the next one is not begun before")
    func restart() async throws {
      let harness = try await DriverHarness.start(
        "127.0.106.16", controlPlanes: 2, workers: 0, timing: .real.scaled(by: 0.1))
      let record = try await harness.importCluster()
      var change = try await harness.change(.kubernetesCA, record)
      // Time enough to look at what comes before the restart.
      await harness.cluster.nodes[0].setFaults { $0.kubeletLookDelay = .seconds(2) }
      var total = 0
      for phase in RotationPhase.allCases {
        change.phase = phase
        let access = ClusterAccess(cluster: record, rotation: change)
        for (machine, other) in zip(record.machines, record.machines.reversed()) {
          let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
          let before = try await harness.containers(machine, access)
          #expect(before.count == 3)
          try await harness.applied(change, to: machine, access)
          var early = false
          var refusals = 0
          let end = ContinuousClock.now + .seconds(30)
          while ContinuousClock.now < end {
            let results = await harness.driver.verify(
              change, machine: machine, baseline: baseline, access: access)
            let leaf = ["api-server-leaf", "api-server-accepted"].allSatisfy { name in
              results.first { $0.name == name }?.state == .passed
            }
            let isRestarted = results.first { $0.name == "static-pods" }?.isSettled == true
            early = early || (leaf && !isRestarted)
            if results.allSatisfy(\.isSettled) { break }
            // The other control plane's turn would come only after this one's.
            if leaf, !isRestarted, refusals == 0, machine == record.machines[0] {
              do throws(DriverError) {
                _ = try await harness.driver.apply(change, to: other, access: access)
                let now = try? await harness.containers(machine, access)
                #expect(now?[.apiServer] != before[.apiServer], "\(other.id) was changed too early")
              } catch {
                #expect(error.code == .refused && error.message.contains(machine.id))
                refusals += 1
              }
            }
            try await Task.sleep(for: .milliseconds(10))
          }
          let after = try await harness.containers(machine, access)
          // One that was changed before its turn, by the try above, is not restarted again.
          for (pod, container) in before where baseline[TalosDriver.Fact.holds] == "false" {
            #expect(after[pod] != container, "\(phase) \(pod)")
          }
          if machine == record.machines[0] {
            #expect(early, "the time before the restart was not seen")
          }
          total += refusals
        }
        #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      }
      #expect(total > 0)
      await harness.cluster.stop()
    }

    @Test(
      "A control plane that boots after its change is done, although it counts its secrets' versions from the beginning"
    )
    func bootsAfterItsChange() async throws {
      let harness = try await DriverHarness.start("127.1.177.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let machine = record.machines[0]
      let node = try #require(harness.cluster.node(machine.id))
      let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
      try await harness.applied(change, to: machine, access)
      let done = await harness.verified(change, machine, record, baseline: baseline)
      #expect(done.filter { !$0.isSettled } == [])
      await node.powerOff()
      try await node.powerOn()
      _ = await harness.cluster.settle()
      let secrets = try await harness.driver.withReading(machine, access) {
        client async throws(TalosFailure) in try await StaticPodSecrets.read(client)
      }
      #expect(secrets?.version == baseline[TalosDriver.Fact.version], "the case that is meant")
      let again = await harness.verified(change, machine, record, baseline: baseline)
      #expect(again.filter { !$0.isSettled } == [])
      await harness.cluster.stop()
    }

    @Test("A scheduler or controller-manager that crash-loops holds up the gate and not the turn")
    func crashLoop() async throws {
      let harness = try await DriverHarness.start("127.0.106.32", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let sick = harness.cluster.nodes[1]
      for machine in record.machines {
        let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
        try await harness.applied(change, to: machine, access)
        let results = await harness.verified(change, machine, record, baseline: baseline)
        #expect(results.filter { !$0.isSettled } == [])
      }
      #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      for isScheduler in [true, false] {
        await sick.setFaults {
          $0.schedulerDown = isScheduler
          $0.controllerManagerDown = !isScheduler
        }
        let name = isScheduler ? "kube-scheduler" : "kube-controller-manager"
        let turn = await harness.verified(change, record.machines[1], record, within: .seconds(5))
        #expect(turn.filter { !$0.isSettled } == [])
        let report = await harness.driver.verifyCluster(change, baselines: [:], access: access)
        let open = report.machines[sick.name]?.filter { !$0.isSettled } ?? []
        #expect(open.map(\.name) == ["control-plane-pods"])
        #expect(open.first?.detail.contains(name) == true)
        await sick.setFaults { $0 = Faults() }
        #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      }
      // With every scheduler gone the turn waits as well, although one is still named in the lease.
      for node in harness.cluster.nodes { await node.setFaults { $0.schedulerDown = true } }
      _ = await harness.cluster.settle(within: .seconds(1))
      for machine in record.machines {
        let results = await harness.driver.verify(
          change, machine: machine, baseline: nil, access: access)
        #expect(results.filter { !$0.isSettled }.map(\.name) == ["control-plane-pods"])
      }
      await harness.cluster.stop()
    }
  }
}

extension DriverHarness {
  /// The containers of a control plane's static pods, as Kubernetes shows them.
  func containers(_ machine: Machine, _ access: ClusterAccess) async throws -> [StaticPod: String] {
    try await driver.mirrorPods(on: machine.id, machine, access).mapValues(\.container)
  }
}
