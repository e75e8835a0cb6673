import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

extension LivingMachines {
  @Suite("Watches shorten waits, and prove nothing", .timeLimit(.minutes(1)))
  struct WatchingTests {
    private static let watch = "/cosi.resource.State/Watch"
    /// Each look that reads a machine reads the kubelet's certificate once.
    private static let read = "/machine.MachineService/Read"

    /// Counts the calls of a method.
    private func count(_ method: String, _ harness: DriverHarness) -> Int {
      harness.cluster.calls[method, default: 0]
    }

    /// A control plane and a worker, whose kubelet takes a second to restart, and looks that last for so long.
    private func start(
      _ subnet: Int, window: Duration = .seconds(20), long: Duration = .seconds(20),
      sharedAddress: String? = nil
    ) async throws -> (harness: DriverHarness, record: ClusterRecord) {
      var timing = Timing.instant
      timing.kubeletRestart = .seconds(1)
      let base = "127.1.\(subnet)." + (sharedAddress == nil ? "0" : "10")
      let harness = try await DriverHarness.start(
        base, controlPlanes: sharedAddress == nil ? 1 : 2, workers: 1, timing: timing,
        configure: { if let sharedAddress { $0.sharedAddress = sharedAddress } },
        patience: {
          $0.lookWindow = window
          $0.longLookWindow = long
        })
      return (harness, try await harness.importCluster())
    }

    /// Changes the worker, so that its kubelet restarts, and looks until all is there or the look's time is over.
    private func look(
      _ harness: DriverHarness, _ record: ClusterRecord
    ) async throws -> (results: [CheckResult], time: Duration) {
      let worker = try #require(record.machines.first { $0.role == .worker })
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      try await harness.applied(change, to: worker, access)
      let start = ContinuousClock.now
      let results = await harness.driver.verify(
        change, machine: worker, baseline: nil, access: access)
      return (results, .now - start)
    }

    private func worker(_ harness: DriverHarness) throws -> SimulatedNode {
      try #require(harness.cluster.nodes.last)
    }

    @Test("A change that a worker shows through a control plane is looked at at once")
    func change() async throws {
      let (harness, record) = try await start(190)
      let reads = count(Self.read, harness)
      let (results, time) = try await look(harness, record)
      #expect(results.filter { !$0.isSettled } == [])
      #expect(time > .milliseconds(800) && time < .seconds(5), "\(time)")
      #expect(count(Self.watch, harness) == 1)
      // The first look, one for what there was when the watch was opened, one for the kubelet that is well, and perhaps
      // one for the node.
      #expect(count(Self.read, harness) - reads <= 4)
      await harness.cluster.stop()
    }

    @Test("A watch that shows nothing costs time and no more")
    func silent() async throws {
      let (harness, record) = try await start(191, window: .seconds(3))
      try await worker(harness).setFaults { $0.watches = .silent }
      let (results, time) = try await look(harness, record)
      #expect(results.filter { !$0.isSettled } == [])
      #expect(time > .seconds(2) && time < .seconds(6), "\(time)")
      await harness.cluster.stop()
    }

    @Test("A machine that is waited for without a watch is looked at as before")
    func refused() async throws {
      let (harness, record) = try await start(192)
      try await worker(harness).setFaults { $0.watches = .refused }
      let reads = count(Self.read, harness)
      let (results, time) = try await look(harness, record)
      #expect(results.filter { !$0.isSettled } == [])
      #expect(time < .seconds(5), "\(time)")
      // It is not asked again and again for a watch.
      #expect(count(Self.watch, harness) == 1)
      #expect(count(Self.read, harness) - reads >= 4)
      await harness.cluster.stop()
    }

    @Test(
      "A worker that says without end that its kubelet is well is not believed, nor looked at in a hurry"
    )
    func endless() async throws {
      let (harness, record) = try await start(193, window: .seconds(4))
      try await worker(harness).setFaults {
        $0.watches = .endless
        $0.kubeletStuck = true
      }
      let reads = count(Self.read, harness)
      let (results, time) = try await look(harness, record)
      #expect(results.first { $0.isNamed(.kubelet) }?.state == .waiting, "\(results)")
      #expect(time > .seconds(3), "\(time)")
      // Eight at once, then every 400 ms.
      let looks = count(Self.read, harness) - reads
      #expect(looks <= 8 + 10 + 3, "\(looks)")
      #expect(count(Self.watch, harness) == 1)
      await harness.cluster.stop()
    }

    @Test("apid is asked again soon after a machine has shown its new certificates")
    func apid() async throws {
      var timing = Timing.instant
      timing.apidReload = .milliseconds(1500)
      let harness = try await DriverHarness.start(
        "127.1.194.0", controlPlanes: 1, workers: 0, timing: timing,
        patience: {
          $0.lookWindow = .seconds(30)
          $0.watchedPause = .seconds(20)
        })
      let record = try await harness.importCluster()
      let change = try await harness.change(.talosCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let machine = record.machines[0]
      try await harness.applied(change, to: machine, access)
      let start = ContinuousClock.now
      let results = await harness.driver.verify(
        change, machine: machine, baseline: nil, access: access)
      let time = ContinuousClock.now - start
      #expect(results.filter { !$0.isSettled } == [])
      #expect(time > .seconds(1) && time < .seconds(8), "\(time)")
      #expect(count(Self.watch, harness) == 1)
      await harness.cluster.stop()
    }

    @Test(
      "The second answer about one change takes the long time, and ends early when all is there")
    func repeated() async throws {
      let (harness, record) = try await start(
        195, window: .milliseconds(600), long: .seconds(30))
      let (node, machine) = (try worker(harness), try #require(record.machines.last))
      await node.setFaults { $0.kubeletStuck = true }
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      try await harness.applied(change, to: machine, access)
      let driver = harness.driver
      let first = await driver.verify(change, machine: machine, baseline: nil, access: access)
      #expect(first.contains { $0.isNamed(.kubelet) && $0.state == .waiting })
      let reads = count(Self.read, harness)
      async let second = driver.verify(change, machine: machine, baseline: nil, access: access)
      try await Task.sleep(for: .seconds(2))
      // The first look, and one for what there was when the watch was opened.
      #expect(count(Self.read, harness) - reads <= 2)
      let start = ContinuousClock.now
      await node.setFaults { $0.kubeletStuck = false }
      #expect(await second.filter { !$0.isSettled } == [])
      #expect(.now - start < .seconds(5))
      await harness.cluster.stop()
    }

    @Test("Who stops to wait leaves no watch behind")
    func cancelled() async throws {
      let (harness, record) = try await start(196)
      let (node, machine) = (try worker(harness), try #require(record.machines.last))
      await node.setFaults { $0.kubeletStuck = true }
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      try await harness.applied(change, to: machine, access)
      let driver = harness.driver
      let look = Task {
        await driver.verify(change, machine: machine, baseline: nil, access: access)
      }
      for _ in 0..<500 where count(Self.watch, harness) == 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(count(Self.watch, harness) == 1)
      let start = ContinuousClock.now
      look.cancel()
      _ = await look.value
      #expect(.now - start < .seconds(5))
      await harness.cluster.stop()
    }

    @Test("Nobody but the machine that is meant is watched at a shared address")
    func sharedAddress() async throws {
      let address = "127.1.197.5"
      let (harness, record) = try await start(197, sharedAddress: address)
      var machine = record.machines[0]
      machine.address = address
      let target = machine
      let access = ClusterAccess(cluster: record)
      try await harness.cluster.moveSharedAddress(to: harness.cluster.nodes[1])
      let refused = ChangeSignal()
      await harness.driver.watch(
        [.kubelet], of: target, access, lasting: .seconds(20), refused)
      #expect(refused.standing == .ended)
      #expect(count(Self.watch, harness) == 0)
      try await harness.cluster.moveSharedAddress(to: harness.cluster.nodes[0])
      let signal = ChangeSignal()
      let driver = harness.driver
      let watch = Task {
        await driver.watch([.kubelet], of: target, access, lasting: .seconds(20), signal)
      }
      for _ in 0..<500 where signal.standing == .opening {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(signal.standing == .open)
      // The kubelet that is well already is a reason to look.
      #expect(await signal.wait(atMost: .seconds(5)) == .change(isFollowed: false))
      // The address goes to another machine: the watch ends, and no other one begins.
      try await harness.cluster.moveSharedAddress(to: harness.cluster.nodes[1])
      await watch.value
      #expect(signal.standing == .ended)
      #expect(count(Self.watch, harness) == 1)
      await harness.cluster.stop()
    }

    @Test("A long pause between two answers ends when the machine shows a change")
    func pause() async throws {
      let (harness, record) = try await start(
        198, window: .milliseconds(600), long: .milliseconds(600))
      let (node, machine) = (try worker(harness), try #require(record.machines.last))
      let clock = SystemClock { Instant(secondsSince1970: DriverHarness.now()) }
      await node.setFaults { $0.kubeletStuck = true }
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      let driver = harness.driver
      func pause(_ limit: Duration, _ meanwhile: () async -> Void) async throws -> Duration {
        let start = ContinuousClock.now
        async let pause: Void = driver.awaitChange(
          change, of: machine, access: access, atMost: limit, by: clock)
        await meanwhile()
        try await pause
        return .now - start
      }
      // Nothing is waited for yet.
      #expect(try await pause(.milliseconds(700)) {} >= .milliseconds(700))
      #expect(count(Self.watch, harness) == 0)
      try await harness.applied(change, to: machine, access)
      _ = await driver.verify(change, machine: machine, baseline: nil, access: access)
      let still = try await pause(.seconds(1)) {}
      #expect(still >= .milliseconds(900) && still < .seconds(4), "\(still)")
      let ended = try await pause(.seconds(40)) {
        try? await Task.sleep(for: .milliseconds(500))
        await node.setFaults { $0.kubeletStuck = false }
      }
      #expect(ended < .seconds(10), "\(ended)")
      // A machine that shows changes without end does not end it at once.
      await node.setFaults { $0.watches = .endless }
      let hurried = try await pause(.seconds(30)) {}
      #expect(hurried >= .milliseconds(400) && hurried < .seconds(10), "\(hurried)")
      await harness.cluster.stop()
    }

    @Test("The gate waits longer for pods once it has said so, and goes on when they are Ready")
    func gate() async throws {
      let harness = try await DriverHarness.start(
        "127.1.199.0", controlPlanes: 1, workers: 1,
        patience: {
          $0.lookWindow = .milliseconds(500)
          $0.longLookWindow = .seconds(30)
        })
      let record = try await harness.importCluster()
      let change = try await harness.change(.kubernetesCA, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      var baselines: [String: Baseline] = [:]
      for machine in record.machines {
        baselines[machine.id] = try await harness.driver.prepare(
          change, machine: machine, access: access)
        try await harness.applied(change, to: machine, access)
        let open = await harness.verified(
          change, machine, record, baseline: baselines[machine.id])
        #expect(open.filter { !$0.isSettled } == [])
      }
      let node = harness.cluster.nodes[0]
      await node.setFaults { $0.schedulerDown = true }
      let (driver, known) = (harness.driver, baselines)
      let first = await driver.verifyCluster(change, baselines: known, access: access)
      #expect(first.all.filter { !$0.isSettled }.map(\.name) == ["control-plane-pods"])
      let calls = harness.cluster.calls.values.reduce(0, +)
      async let second = driver.verifyCluster(change, baselines: known, access: access)
      try await Task.sleep(for: .seconds(2))
      // Kubernetes alone is asked meanwhile.
      #expect(harness.cluster.calls.values.reduce(0, +) == calls)
      await node.setFaults { $0.schedulerDown = false }
      let start = ContinuousClock.now
      #expect(await second.all.filter { !$0.isSettled } == [])
      #expect(.now - start < .seconds(10))
      await harness.cluster.stop()
    }
  }
}
