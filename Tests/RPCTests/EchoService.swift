import RPC
import RPCTransport
import Synchronization

/// A service on plain bytes: the calls are tested, not a codec.
enum Echo {
  static let unary = method("Unary", .unary)
  static let count = method("Count", .serverStreaming)
  static let sum = method("Sum", .clientStreaming)
  static let chat = method("Chat", .bidirectionalStreaming)

  static let peer = method("Peer", .unary)
  static let flood = method("Flood", .serverStreaming)
  /// Messages that flood handlers have got rid of.
  static let written = Atomic(0)

  static func method(_ name: String, _ kind: MethodKind) -> RPC.Method<[UInt8], [UInt8]> {
    RPC.Method(
      service: "test.Echo", name: name, kind: kind, request: .bytes, response: .bytes)
  }

  static func router() -> ServiceRouter {
    var router = ServiceRouter(compressions: .standard)
    router.handle(unary) { (request: [UInt8], call) in
      if request == Array("fail".utf8) {
        throw RPCError(
          .failedPrecondition, "käse 100%",
          details: [StatusDetail(typeURL: "type.googleapis.com/x.Y", value: [1, 2, 3])])
      }
      if request == Array("sleep".utf8) { try await Task.sleep(for: .seconds(30)) }
      call.addTrailingMetadata(Metadata(["x-seen": call.metadata["x-in"] ?? "none"]))
      return request
    }
    router.handle(peer) { (request: [UInt8], call) in
      Array("\(call.peer.certificates.count) \(call.peer.process?.userID ?? 9999)".utf8)
    }
    router.handle(flood) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
      for i in 0..<100_000 {
        try await writer.write([UInt8](repeating: UInt8(truncatingIfNeeded: i), count: 1024))
        written.add(1, ordering: .relaxed)
      }
    }
    router.handle(count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
      for i in 0..<Int(request[0]) { try await writer.write([UInt8(i)]) }
    }
    router.handle(sum) { (requests: RequestStream<[UInt8]>, call) in
      var sum: UInt8 = 0
      for try await request in requests { sum += request[0] }
      return [sum]
    }
    router.handle(chat) {
      (requests: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, call) in
      for try await request in requests { try await writer.write(request + request) }
    }
    return router
  }
}
