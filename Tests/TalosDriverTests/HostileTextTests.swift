import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Testing

@testable import TalosDriver

/// A machine, or whoever writes objects of the Kubernetes API, chooses what its texts hold.
@Suite("What machines and the Kubernetes API say of themselves is bounded and clean")
struct HostileTextTests {
  private static let nasty =
    "a\n$(reboot)\u{1B}[2J\u{202E}" + String(repeating: "x", count: 100_000)

  /// A client of a machine that answers with these resources.
  private func client(
    get: (@Sendable () -> [UInt8])? = nil, list: (@Sendable () -> Cosi.ListResponse)? = nil,
    count: Int = 1
  ) -> TalosClient {
    var router = ServiceRouter()
    router.handle(Cosi.StateMethods.get) { (_: Cosi.GetRequest, _) in
      var response = Cosi.GetResponse()
      var resource = Cosi.Resource()
      var spec = Cosi.Spec()
      spec.protoSpec = get?() ?? []
      resource.spec = spec
      response.resource = resource
      return response
    }
    router.handle(Cosi.StateMethods.list) { (_: Cosi.ListRequest, writer, _) in
      guard let list else { return }
      for _ in 0..<count { try await writer.write(list()) }
    }
    var limits = CallLimits()
    limits.requestMessageBytes = 1 << 20
    return TalosClient(
      rpc: RPCClient(InProcessChannel(router)), node: nil, timeout: .seconds(60))
  }

  @Test(
    "A node's name that is no host name is refused: it ends in a command that a person is to type")
  func nodename() async throws {
    for text in ["worker-1; reboot", "-x", "a b", Self.nasty] {
      var spec = Talos.NodenameSpec()
      spec.nodename = text
      let bytes = spec.serialized()
      let error = await #expect(throws: TalosFailure.self) {
        _ = try await client(get: { bytes }).nodename()
      }
      let message = error?.message ?? ""
      #expect(message.contains("no host name"))
      #expect(
        message.utf8.count < 2_000 && message == PeerText.clean(message)
          || message.count > PeerText.limit)
      #expect(!message.contains("\n") && !message.contains("\u{1B}"))
    }
    var spec = Talos.NodenameSpec()
    spec.nodename = "worker-1"
    let bytes = spec.serialized()
    #expect(try await client(get: { bytes }).nodename() == "worker-1")
  }

  @Test("A version of secrets that is no number is refused")
  func secretsVersion() async throws {
    var spec = Talos.SecretsStatusSpec()
    spec.ready = true
    spec.version = Self.nasty
    let bytes = spec.serialized()
    let error = await #expect(throws: TalosFailure.self) {
      _ = try await StaticPodSecrets.readPods(client(get: { bytes }))
    }
    #expect(error?.message.contains("no number") == true)
    spec.version = "12"
    let good = spec.serialized()
    let seen = try await StaticPodSecrets.readPods(client(get: { good }))
    #expect(seen?.version == "12")
  }

  @Test("A list of large resources ends when they have 32 MiB together")
  func listBytes() async throws {
    func member(_ bytes: Int) -> Cosi.ListResponse {
      var response = Cosi.ListResponse()
      var resource = Cosi.Resource()
      var spec = Cosi.Spec()
      var member = Talos.MemberSpec()
      member.operatingSystem = String(repeating: "x", count: bytes)
      spec.protoSpec = member.serialized()
      resource.spec = spec
      response.resource = resource
      return response
    }
    let large = member(4 << 20)
    let error = await #expect(throws: TalosFailure.self) {
      _ = try await client(list: { large }, count: 9).list(.members)
    }
    #expect(error?.message.contains("32 MiB") == true, "\(error?.message ?? "")")
    let few = try await client(list: { large }, count: 7).list(.members)
    #expect(few.count == 7)
    let small = member(10)
    let many = await #expect(throws: TalosFailure.self) {
      _ = try await client(list: { small }, count: 10_001).list(.members)
    }
    #expect(many?.message.contains("10,000") == true)
  }

  private func object(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  @Test("A Kubernetes node's name is a host name or cleaned, and its addresses are few and short")
  func nodes() throws {
    let long = String(repeating: "x", count: 100_000)
    let addresses = (0..<1000).map { "{\"type\": \"InternalIP\", \"address\": \"10.0.0.\($0)\"}" }
    let node = KnownNode(
      try object(
        "{\"metadata\": {\"name\": \"a\\u001b b \(long)\"}, \"status\": {\"addresses\": [{\"type\": "
          + "\"InternalIP\", \"address\": \"\(long)\"}, \(addresses.joined(separator: ","))]}}"))
    #expect(node.name.utf8.count < 1_000 && !node.name.contains("\u{1B}"))
    #expect(node.addresses.count == 31 && node.internalAddresses.count == 31)
    let usual = KnownNode(
      try object(
        "{\"metadata\": {\"name\": \"w-1.example.com\"}, \"status\": {\"addresses\": [{\"type\": \"Hostname\", "
          + "\"address\": \"w-1\"}, {\"type\": \"InternalIP\", \"address\": \"10.0.0.1\"}]}}"))
    #expect(usual.name == "w-1.example.com")
    #expect(usual.addresses == ["w-1", "10.0.0.1"] && usual.internalAddresses == ["10.0.0.1"])
  }

  @Test("A lease's holder that is no host name is nobody")
  func lease() throws {
    let lease = LeaderLease(
      try object("{\"spec\": {\"holderIdentity\": \"../../secrets _x\"}}"), at: nil)
    #expect(lease.holder.isEmpty && lease.host == nil)
  }

  @Test("Namespaces and owners of pods are cleaned, and counted by what is shown")
  func pods() throws {
    let changed = Instant(secondsSince1970: 2_000_000_000)
    let namespace = "a\\u001b[2J\\u202e" + String(repeating: "y ", count: 10_000)
    let text =
      "{\"metadata\": {\"name\": \"p\", \"namespace\": \"\(namespace)\"}, \"spec\": {\"volumes\": "
      + "[{\"configMap\": {\"name\": \"kube-root-ca.crt\"}}]}, \"status\": {\"containerStatuses\": "
      + "[{\"state\": {\"running\": {\"startedAt\": \"2026-03-01T09:00:00Z\"}}}]}}"
    let pod = try object(text)
    var pods = StalePods(
      .rootCertificate,
      changes: [
        StalePods.Source(
          kind: .configMap, namespace: pod.objectNamespace, name: "kube-root-ca.crt"): changed
      ])
    pods.add([pod, pod])
    #expect(pods.holders.count == 1 && pods.holders.first?.count == 2)
    let shown = pods.holders.first?.namespace ?? ""
    #expect(!shown.isEmpty && shown.utf8.count < 1_000)
    #expect(!shown.contains("\u{1B}") && !shown.contains("\u{202E}"))
  }
}
