import Crypto
import Orchestrator
import Rotation
import Synchronization
import TalosSimulator
import Testing

@testable import TalosDriver

/// How long an import may take, in all and for one machine, and who is named then.
@Suite("The deadlines of an import")
struct DeadlineTests {
  @Test("A deadline ends the work and names who was being asked at that moment")
  func names() async throws {
    let awaited = AwaitedMachines()
    let wasCancelled = Mutex(false)
    let error = await #expect(throws: TalosFailure.self) {
      try await Deadline.of(
        .milliseconds(100), late: { awaited.late(.seconds(45)) }
      ) { () throws(TalosFailure) in
        await awaited.asking("cp-1") {}
        await awaited.asking("cp-3") {
          await awaited.asking("cp-2") {
            try? await Task.sleep(for: .seconds(60))
            wasCancelled.withLock { $0 = Task.isCancelled }
          }
        }
      }
    }
    #expect(
      error?.message
        == "cp-2, cp-3 did not answer within 45 s: bring up what is down, take out of the cluster what is gone, "
        + "and try again")
    #expect(wasCancelled.withLock { $0 })
    #expect(awaited.names.isEmpty)
  }

  @Test("Work that is done in time gives what it gave, and many names are counted")
  func others() async throws {
    let value = try await Deadline.of(.seconds(60), late: { "late" }) { () throws(TalosFailure) in 7
    }
    #expect(value == 7)
    let awaited = AwaitedMachines()
    let error = await #expect(throws: TalosFailure.self) {
      try await Deadline.of(
        .milliseconds(100), late: { awaited.late(.seconds(45)) }
      ) { () throws(TalosFailure) in
        await withTaskGroup(of: Void.self) { group in
          for number in 10..<20 {
            group.addTask {
              await awaited.asking("w-\(number)") { try? await Task.sleep(for: .seconds(60)) }
            }
          }
        }
      }
    }
    #expect(error?.message.contains("w-10, w-11") == true)
    #expect(
      error?.message.contains(" and 2 more did not answer") == true, "\(error?.message ?? "")")
  }
}

extension LivingMachines {
  @Suite("An import of machines that hang")
  struct ImportLimitTests {
    private func driver(member: Duration, all: Duration) throws -> TalosDriver {
      var settings = TalosDriverSettings()
      settings.callTimeout = .seconds(30)
      settings.memberTimeout = member
      settings.importTimeout = all
      return TalosDriver(
        sealer: try Sealer(masterKey: Random.bytes(32)), settings: settings, now: DriverHarness.now)
    }

    private func refusal(_ driver: TalosDriver, _ harness: DriverHarness) async -> DriverError? {
      do throws(DriverError) {
        _ = try await driver.discover(
          DiscoveryRequest(
            name: "demo", talosconfig: harness.cluster.talosconfig,
            endpoints: ["\(harness.cluster.nodes[0].address):\(harness.cluster.port)"]))
        return nil
      } catch { return error }
    }

    @Test("One machine that takes the call and never answers ends the import soon, by its name")
    func member() async throws {
      let harness = try await DriverHarness.start("127.1.150.0", controlPlanes: 2, workers: 0)
      let plane = harness.cluster.nodes[1]
      await plane.setFaults { $0.latency = .seconds(60) }
      let begin = ContinuousClock.now
      let error = try #require(
        await refusal(try driver(member: .seconds(1), all: .seconds(45)), harness))
      #expect(
        error.message.contains(plane.name) && error.message.contains("no answer within 1 s"),
        "\(error)")
      #expect(begin.duration(to: .now) < .seconds(20))
      await harness.cluster.stop()
    }

    @Test("The whole import ends at its one deadline and names whom it waited for")
    func all() async throws {
      let harness = try await DriverHarness.start("127.1.151.0", controlPlanes: 2, workers: 0)
      let plane = harness.cluster.nodes[1]
      await plane.setFaults { $0.latency = .seconds(60) }
      let error = try #require(
        await refusal(try driver(member: .seconds(60), all: .seconds(2)), harness))
      #expect(error.code == .unreachable)
      #expect(error.message.hasPrefix("\(plane.name) did not answer within 2 s"), "\(error)")
      await harness.cluster.stop()
    }

    @Test("An import ends when its caller leaves")
    func cancelled() async throws {
      let harness = try await DriverHarness.start("127.1.152.0", controlPlanes: 2, workers: 0)
      await harness.cluster.nodes[1].setFaults { $0.latency = .seconds(60) }
      let driver = try driver(member: .seconds(60), all: .seconds(60))
      let begin = ContinuousClock.now
      let task = Task { await refusal(driver, harness) }
      try await Task.sleep(for: .milliseconds(500))
      task.cancel()
      #expect(await task.value != nil)
      #expect(begin.duration(to: .now) < .seconds(20))
      await harness.cluster.stop()
    }

    @Test("A talosconfig with more than 16 endpoints is refused before anybody is asked")
    func endpoints() async throws {
      let harness = try await DriverHarness.start("127.1.153.0", controlPlanes: 1, workers: 0)
      let context = try Talosconfig.context(nil, in: harness.cluster.talosconfig)
      let many = (1...17).compactMap { TalosEndpoint("10.255.0.\($0)") }
      let error = await harness.refusal(
        Talosconfig.text(
          context: "demo", endpoints: many, roots: context.roots, identity: context.identity))
      #expect(
        error?.code == .invalidInput && error?.message.contains("16") == true,
        "\(String(describing: error))")
      await harness.cluster.stop()
    }
  }
}
