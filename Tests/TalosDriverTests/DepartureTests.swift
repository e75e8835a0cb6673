import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Whether a machine has left the cluster for good")
struct DepartureTests {
  @Test("A machine has left when its node is deleted, not when it is merely off")
  func deleted() async throws {
    let harness = try await DriverHarness.start("127.1.60.0", controlPlanes: 1, workers: 2)
    let record = try await harness.importCluster()
    let access = ClusterAccess(cluster: record)
    let worker = try #require(record.machines.last)
    #expect(await !harness.driver.hasLeft(worker, access: access))
    await harness.cluster.node(worker.id)?.powerOff()
    #expect(await !harness.driver.hasLeft(worker, access: access))
    let answer = try await harness.driver.withKubernetes(access) {
      client async throws(DriverError) in await client.send("DELETE", "/api/v1/nodes/\(worker.id)")
    }
    #expect(answer.summary == "HTTP 200")
    #expect(await harness.driver.hasLeft(worker, access: access))
    for other in record.machines.dropLast() {
      #expect(await !harness.driver.hasLeft(other, access: access), "\(other.id)")
    }
    // It comes back: its kubelet registers the node again.
    try await harness.cluster.node(worker.id)?.powerOn()
    _ = await harness.cluster.settle()
    #expect(await !harness.driver.hasLeft(worker, access: access))
    await harness.cluster.stop()
  }

  @Test("Nothing has left while no API server can be asked")
  func unreadable() async throws {
    let harness = try await DriverHarness.start("127.1.61.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    let access = ClusterAccess(cluster: record)
    let worker = try #require(record.machines.last)
    await harness.cluster.stop()
    #expect(await !harness.driver.hasLeft(worker, access: access))
  }

  private static let gone = Machine(id: "w-2", address: "10.0.0.6", role: .worker)
  private static let other = Machine(id: "w-1", address: "10.0.0.5", role: .worker)
  private static let control = KnownNode(name: "w-1", addresses: ["w-1", "10.0.0.5"])

  @Test(
    "A node of the machine under another name, or its address at another, is doubt",
    arguments: [
      KnownNode(name: "w-2", addresses: []),
      KnownNode(name: "other", addresses: ["10.0.0.6"]),
      KnownNode(name: "other", addresses: ["w-2"]),
    ])
  func doubt(node: KnownNode) {
    #expect(
      !NodeDeparture.isShown(by: [Self.control, node], of: Self.gone, others: [Self.other]))
    #expect(NodeDeparture.isShown(by: [Self.control], of: Self.gone, others: [Self.other]))
  }

  @Test("Without the node of another machine nothing is proved")
  func control() {
    #expect(!NodeDeparture.isShown(by: [], of: Self.gone, others: [Self.other]))
    #expect(!NodeDeparture.isShown(by: [Self.control], of: Self.gone, others: []))
    let renamed = KnownNode(name: "ip-10-0-0-5", addresses: ["10.0.0.5"])
    #expect(!NodeDeparture.isShown(by: [renamed], of: Self.gone, others: [Self.other]))
  }

  @Test("A machine that bears its domain has its node under the short name")
  func domain() {
    let gone = Machine(id: "W-2.example.org", address: "10.0.0.6", role: .worker)
    #expect(NodeDeparture.names(of: gone) == ["w-2.example.org", "w-2"])
    let short = KnownNode(name: "w-2", addresses: [])
    #expect(!NodeDeparture.isShown(by: [Self.control, short], of: gone, others: [Self.other]))
  }
}
