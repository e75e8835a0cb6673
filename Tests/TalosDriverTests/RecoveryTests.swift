import Orchestrator
import Rotation
import Synchronization
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("What was not ready before a rotation is not waited for until it is back")
  struct RecoveryTests {
    /// A rotation of the Kubernetes CA that was begun although the first control plane's API server did not run.
    private func begun(
      _ base: String
    ) async throws -> (harness: DriverHarness, record: ClusterRecord, change: TrustChange) {
      let harness = try await DriverHarness.start(
        base, controlPlanes: 2, workers: 0, timing: .real.scaled(by: 0.1))
      let record = try await harness.importCluster()
      await harness.cluster.nodes[0].setFaults { $0.apiServerDown = true }
      let preflight = try await harness.driver.preflight(
        .kubernetesCA, options: RotationOptions(allowUnready: true),
        access: ClusterAccess(cluster: record))
      let plane = record.machines[0].id
      #expect(preflight.unready.contains("pod/kube-apiserver-\(plane)"))
      #expect(preflight.unready.contains("pod/kube-scheduler-\(plane)"))
      var change = try await harness.change(.kubernetesCA, record)
      change.options = RotationOptions(allowUnready: true, unready: preflight.unready)
      return (harness, record, change)
    }

    @Test(
      "An API server that is back before its turn, or within it, is done when it has restarted",
      arguments: [true, false])
    func back(isBeforeItsTurn: Bool) async throws {
      let (harness, record, change) = try await begun("127.1.\(isBeforeItsTurn ? 154 : 155).0")
      let (machine, other) = (record.machines[0], record.machines[1])
      let access = ClusterAccess(cluster: record, rotation: change)
      let node = harness.cluster.nodes[0]
      func recover() async {
        await node.setFaults {
          $0.apiServerDown = false
          $0.kubeletLookDelay = .seconds(2)
        }
        _ = await harness.cluster.settle()
      }
      if isBeforeItsTurn { await recover() }
      let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
      if !isBeforeItsTurn { await recover() }
      let before = try await harness.containers(machine, access)
      try await harness.applied(change, to: machine, access)
      var refusals = 0
      var isDone = false
      let end = ContinuousClock.now + .seconds(30)
      while ContinuousClock.now < end, !isDone {
        let results = await harness.driver.verify(
          change, machine: machine, baseline: baseline, access: access)
        isDone = results.allSatisfy(\.isSettled)
        if !isDone, refusals == 0 {
          do throws(DriverError) {
            _ = try await harness.driver.apply(change, to: other, access: access)
            let now = try? await harness.containers(machine, access)
            #expect(now?[.apiServer] != before[.apiServer], "\(other.id) was changed too early")
          } catch {
            #expect(error.code == .refused && error.message.contains(machine.id))
            refusals += 1
          }
        }
      }
      #expect(isDone && refusals > 0)
      let after = try await harness.containers(machine, access)
      for (pod, container) in before { #expect(after[pod] != container, "\(pod)") }
      await harness.cluster.stop()
    }

    @Test(
      "One that stays away holds nobody up; once it has been seen, it is waited for at the gate")
    func away() async throws {
      let (harness, record, change) = try await begun("127.1.156.0")
      let access = ClusterAccess(cluster: record, rotation: change)
      let (machine, node) = (record.machines[0], harness.cluster.nodes[0])
      #expect(try await harness.runStage(change, record) == [])
      await node.setFaults { $0.apiServerDown = false }
      #expect(await harness.gate(change, record).filter { !$0.isSettled } == [])
      let baseline = try await harness.driver.prepare(change, machine: machine, access: access)
      #expect(baseline["ready kube-apiserver"] == "true")

      func open(_ baselines: [String: Baseline]) async -> [String] {
        let report = await harness.driver.verifyCluster(
          change, baselines: baselines, access: access)
        return report.machines[machine.id]?.filter { !$0.isSettled }.map(\.name) ?? []
      }
      await node.setFaults { $0.apiServerDown = true }
      #expect(await open([:]).contains("api-server-ready"))
      #expect(await open([:]).contains("control-plane-pods"))
      // What omnid has seen before a restart of its own is on record.
      harness.driver.notes.withLock { $0.recovered = [:] }
      #expect(await open([:]) == [])
      #expect(await open([machine.id: baseline]).contains("api-server-ready"))
      await harness.cluster.stop()
    }

    @Test(
      "An API server that answers with errors need not get well, but it restarts and refuses the old CA"
    )
    func unwell() async throws {
      let harness = try await DriverHarness.start("127.1.165.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      let (machine, node) = (record.machines[0], harness.cluster.nodes[0])
      await node.setFaults { $0.apiServerStatus = 500 }
      let preflight = try await harness.driver.preflight(
        .kubernetesCA, options: RotationOptions(allowUnready: true),
        access: ClusterAccess(cluster: record))
      #expect(preflight.unready.contains("pod/kube-apiserver-\(machine.id)"))
      var change = try await harness.change(.kubernetesCA, record)
      change.options = RotationOptions(allowUnready: true, unready: preflight.unready)
      let access = ClusterAccess(cluster: record, rotation: change)
      let before = try await harness.containers(machine, access)
      for phase in RotationPhase.allCases {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [], "\(phase)")
      }
      let after = try await harness.containers(
        machine, ClusterAccess(cluster: record, rotation: change))
      #expect(after[.apiServer] != before[.apiServer])
      func check(_ name: CheckName) async -> CheckResult? {
        await harness.driver.verify(
          change, machine: machine, baseline: nil,
          access: ClusterAccess(cluster: record, rotation: change)
        ).first { $0.isNamed(name) }
      }
      #expect(await check(.apiServerReady)?.state == .notApplicable)
      #expect(await check(.oldRefused)?.state == .passed)
      await harness.cluster.stop()
    }

    @Test("A node and a kubelet that are back are waited for as well")
    func node() async throws {
      let harness = try await DriverHarness.start("127.1.157.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let (machine, node) = (record.machines[1], harness.cluster.nodes[1])
      var change = try await harness.change(.kubernetesCA, record)
      change.options = RotationOptions(
        allowUnready: true, unready: ["node/\(machine.id)", machine.unreadyKubelet])
      #expect(try await harness.runStage(change, record) == [])
      let access = ClusterAccess(cluster: record, rotation: change)
      func check() async -> CheckResult? {
        await harness.driver.verify(change, machine: machine, baseline: nil, access: access)
          .first { $0.isNamed(.nodeReady) }
      }
      await node.setFaults { $0.notReady = true }
      #expect(await check()?.state == .waiting)
      harness.driver.notes.withLock { $0.recovered = [:] }
      #expect(await check()?.state == .notApplicable)
      await harness.cluster.stop()
    }
  }
}
