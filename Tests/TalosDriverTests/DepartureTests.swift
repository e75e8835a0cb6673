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
    #expect(await !harness.hasLeft(worker, access))
    await harness.cluster.node(worker.id)?.powerOff()
    #expect(await !harness.hasLeft(worker, access))
    let answer = try await harness.driver.withKubernetes(access) {
      client async throws(DriverError) in await client.send("DELETE", "/api/v1/nodes/\(worker.id)")
    }
    #expect(answer.summary == "HTTP 200")
    #expect(await harness.hasLeft(worker, access))
    for other in record.machines.dropLast() {
      #expect(await !harness.hasLeft(other, access), "\(other.id)")
    }
    // It comes back: its kubelet registers the node again.
    try await harness.cluster.node(worker.id)?.powerOn()
    _ = await harness.cluster.settle()
    #expect(await !harness.hasLeft(worker, access))
    await harness.cluster.stop()
  }

  @Test("Nothing has left while no API server can be asked")
  func unreadable() async throws {
    let harness = try await DriverHarness.start("127.1.61.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    let access = ClusterAccess(cluster: record)
    let worker = try #require(record.machines.last)
    await harness.cluster.stop()
    #expect(await !harness.hasLeft(worker, access))
  }

  @Test(
    "Without Kubernetes, one that is off and forgotten by discovery has not left, and it is said why"
  )
  func withoutKubernetes() async throws {
    let harness = try await DriverHarness.start("127.1.163.0", controlPlanes: 2, workers: 2) {
      $0.withoutKubernetes = true
    }
    let record = try await harness.importCluster()
    let gone = try #require(record.machines.last)
    await harness.cluster.setMemberLies([.hide(gone.id)])
    await harness.cluster.node(gone.id)?.powerOff()
    let departure = await harness.driver.departure(
      of: gone, access: ClusterAccess(cluster: record))
    guard case .doubted(let text) = departure else {
      Issue.record("discovery forgets whoever is switched off for half an hour")
      return
    }
    #expect(text.contains("bring it back") && !text.contains("kubectl"))
    await harness.cluster.stop()
  }

  @Test("A node at its address is no doubt where another machine has shown that it is there")
  func replaced() async throws {
    let harness = try await DriverHarness.start("127.1.164.0", controlPlanes: 1, workers: 2)
    var record = try await harness.importCluster()
    let successor = try #require(record.machines.last)
    let gone = Machine(
      id: "demo-worker-9", address: successor.address, role: .worker, port: successor.port,
      identity: "of the machine that was there before")
    record.machines.append(gone)
    #expect(await harness.hasLeft(gone, ClusterAccess(cluster: record)))
    // Unless the record knows who it is, and it answers, the node may be that of the machine that is gone.
    await harness.cluster.node(successor.id)?.powerOff()
    let doubt = await harness.driver.departure(of: gone, access: ClusterAccess(cluster: record))
    guard case .doubted(let text) = doubt else {
      Issue.record("nothing shows that it has left")
      return
    }
    #expect(
      text.contains("node \(successor.id) is at its address \(gone.address)")
        && text.contains("kubectl delete node \(successor.id)"), "\(text)")
    await harness.cluster.stop()
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
      NodeDeparture.doubt(by: [Self.control, node], of: Self.gone, others: [Self.other]) != nil)
    #expect(NodeDeparture.doubt(by: [Self.control], of: Self.gone, others: [Self.other]) == nil)
  }

  @Test("Without the node of another machine nothing is proved")
  func control() {
    #expect(NodeDeparture.doubt(by: [], of: Self.gone, others: [Self.other]) != nil)
    #expect(NodeDeparture.doubt(by: [Self.control], of: Self.gone, others: []) != nil)
    let renamed = KnownNode(name: "ip-10-0-0-5", addresses: ["10.0.0.5"])
    #expect(NodeDeparture.doubt(by: [renamed], of: Self.gone, others: [Self.other]) != nil)
  }

  @Test("A machine that bears its domain has its node under the short name")
  func domain() {
    let gone = Machine(id: "W-2.example.org", address: "10.0.0.6", role: .worker)
    #expect(NodeDeparture.names(of: gone) == ["w-2.example.org", "w-2"])
    let short = KnownNode(name: "w-2", addresses: [])
    #expect(NodeDeparture.doubt(by: [Self.control, short], of: gone, others: [Self.other]) != nil)
  }
}
