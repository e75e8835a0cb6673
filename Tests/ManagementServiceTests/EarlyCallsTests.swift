import ProtoCodec
import RPC
import Schema
import Synchronization
import Testing

@testable import ManagementService

@Suite("Which calls are answered while the store is being read")
struct EarlyCallsTests {
  /// Notes of every call whether it is an early one, and lets it pass.
  private final class Probe: ServerInterceptor {
    let seen = Mutex<[Bool]>([])

    func passes(_ call: ServerCall) -> Bool {
      seen.withLock { $0.append(EarlyCalls.contains(call)) }
      return true
    }

    func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
      try await next()
    }
  }

  private func isEarly(
    _ name: String, peer: Peer, metadata: Metadata = Metadata()
  ) async throws -> Bool? {
    let method = Method<[UInt8], [UInt8]>(
      service: ManagementServiceMethods.service, name: name, kind: .unary, request: .bytes,
      response: .bytes)
    let probe = Probe()
    var router = ServiceRouter(interceptors: [probe])
    router.handle(method) { (request: [UInt8], _) in request }
    let client = RPCClient(InProcessChannel(router, peer: peer))
    _ = try await client.unary(method, [], options: CallOptions(metadata: metadata))
    return probe.seen.withLock { $0.first }
  }

  @Test("They are reads of clusters and of their rotations, by users of the same machine")
  func methods() async throws {
    for method in ManagementServiceMethods.schema.methods {
      let isEarly = try await isEarly(method.name, peer: ServedManagement.owner)
      #expect(
        isEarly
          == ["GetCluster", "ListClusters", "GetRotationStatus"].contains(method.name),
        "\(method.name)")
      #expect(isEarly == false || method.idempotency == .noSideEffects, "\(method.name)")
    }
  }

  @Test("A caller who is known by what omnid has issued waits, because it may have been revoked")
  func issued() async throws {
    let elsewhere = Peer(address: "10.0.0.1:4000", certificates: [[1]])
    #expect(try await isEarly("GetCluster", peer: elsewhere) == false)
    let token = Metadata(["authorization": "Bearer x"])
    #expect(
      try await isEarly("GetCluster", peer: ServedManagement.owner, metadata: token) == false)
    #expect(try await isEarly("GetCluster", peer: Peer(address: "in-process")) == false)
  }
}
