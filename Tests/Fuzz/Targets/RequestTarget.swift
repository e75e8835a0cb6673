import ProtoCodec
import RPCTransport
import Schema
import Synchronization

@testable import RPC

/// Requests of all protocols to a service: gRPC, gRPC-Web and -Text, Connect in its forms.
///
/// The first four bytes choose content type, method, encodings and pieces; the rest is the body, or
/// the query of a GET.
enum RequestTarget {
  private typealias Request = GRPCHealth.HealthCheckRequest

  static let target = FuzzTarget(asynchronous: "request") { bytes in
    var input = FuzzInput(bytes)
    let type = types[Int(input.byte()) % types.count]
    let path = paths[Int(input.byte()) % paths.count]
    let manner = input.byte()
    let pattern = input.byte()
    let body = input.rest()
    var fields = HeaderFields([
      "content-type": type, "accept-encoding": manner & 1 == 0 ? "identity" : "gzip",
    ])
    let encoding = manner & 2 == 0 ? "identity" : "gzip"
    if type.hasPrefix("application/connect") {
      fields.append("connect-content-encoding", encoding)
    } else if type.hasPrefix("application/grpc") {
      fields.append("grpc-encoding", encoding)
    } else {
      fields.append("content-encoding", encoding)
    }
    if manner & 4 != 0 { fields.append("grpc-timeout", "1S") }
    let isGet = manner & 0x38 == 0x38
    let recorder = Recorder()
    let stream = try await channel.open(
      method: isGet ? "GET" : "POST",
      path: isGet ? path + "?" + String(decoding: body, as: UTF8.self) : path, fields: fields,
      isLast: isGet, waitForReady: false, receiver: recorder)
    if !isGet {
      for piece in FuzzInput.pieces(of: body, pattern) {
        stream.send(Array(piece), isLast: false)
      }
      stream.send([], isLast: true)
    }
    let answer = try await recorder.answer()
    try check(answer, type)
  }

  private static let types = [
    "application/grpc", "application/grpc+json", "application/grpc-web",
    "application/grpc-web+json", "application/grpc-web-text", "application/proto",
    "application/json", "application/connect+proto", "application/connect+json", "text/plain",
  ]
  private static let paths = [
    "/t.S/Unary", "/t.S/Down", "/t.S/Up", "/t.S/Both", "/t.S/None", "/x",
  ]

  private static let channel = InProcessChannel(router)

  private static let router: ServiceRouter = {
    var router = ServiceRouter(compressions: .standard)
    router.limits.requestMessageBytes = 4096
    func method(_ name: String, _ kind: MethodKind) -> RPC.Method<Request, Request> {
      RPC.Method(service: "t.S", name: name, kind: kind, idempotency: .noSideEffects)
    }
    router.handle(method("Unary", .unary)) { (request: Request, call) in
      if request.service == "fail" { throw RPCError(.notFound, "no \"such\" thing\n") }
      call.addTrailingMetadata(Metadata(["x-after": "yes"]))
      return request
    }
    router.handle(method("Down", .serverStreaming)) {
      (request: Request, writer: ResponseWriter<Request>, _) in
      for _ in 0..<3 { try await writer.write(request) }
      if request.service == "fail" { throw RPCError(.aborted, "half way") }
    }
    router.handle(method("Up", .clientStreaming)) {
      (requests: RequestStream<Request>, _) in
      var last = Request()
      for try await request in requests { last = request }
      return last
    }
    router.handle(method("Both", .bidirectionalStreaming)) {
      (requests: RequestStream<Request>, writer: ResponseWriter<Request>, _) in
      for try await request in requests { try await writer.write(request) }
    }
    return router
  }()

  /// An answer is whole, and in the form in which the request asked.
  private static func check(_ answer: Answer, _ type: String) throws {
    if let broken = answer.broken { throw Violation(broken) }
    guard case .complete? = answer.end else {
      if case .reset? = answer.end { return }
      throw Violation("the answer ends with \(String(describing: answer.end))")
    }
    guard let status = answer.head?.first(":status"), let code = Int(status) else {
      throw Violation("the answer has no status")
    }
    try require(answer.body.count < 1 << 20, "an answer of \(answer.body.count) bytes")
    guard code == 200, let answered = answer.head?.first("content-type") else { return }
    try require(type.hasPrefix("text") || answered.hasPrefix("application/"), "type \(answered)")
    if answered.hasPrefix("application/grpc-web-text") {
      var decoder = Base64StreamDecoder()
      try require(decoder.decode(answer.body.span) != nil, "the body is not base64")
    } else if answered.hasPrefix("application/grpc") || answered.hasPrefix("application/connect") {
      var reader = EnvelopeReader(limit: 1 << 20)
      var last: [UInt8]?
      try reader.receive(answer.body.span) { flags, message in
        last = [flags] + message.withUnsafeBufferPointer { Array($0) }
      }
      try require(reader.isAtBoundary, "the body ends within a message")
      if answered.hasPrefix("application/connect") {
        guard let last, last[0] & 2 != 0 else { throw Violation("a stream without an end") }
        if last[0] & 1 == 0 { _ = try JSONValue(parsing: Array(last.dropFirst())) }
      }
    }
  }

  struct Answer: Sendable {
    var head: HeaderFields?
    var body: [UInt8] = []
    var hasTrailers = false
    var end: StreamEnd?
    /// What came out of order.
    var broken: String?
  }

  /// Takes one answer, and notes what does not come in the order that the seam promises.
  private final class Recorder: HTTPResponseReceiver {
    private struct State {
      var answer = Answer()
      var waiter: CheckedContinuation<Answer, Never>?
    }

    private let state = Mutex(State())

    func receivedHead(_ fields: HeaderFields, isLast: Bool) {
      note { answer in
        if answer.head != nil { answer.broken = "two heads" }
        answer.head = fields
      }
    }

    func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
      let bytes = data.withUnsafeBufferPointer { Array($0) }
      note { answer in
        if answer.head == nil || answer.hasTrailers { answer.broken = "data out of order" }
        answer.body += bytes
      }
    }

    func receivedTrailers(_ fields: HeaderFields) {
      note { answer in
        if answer.hasTrailers { answer.broken = "two sets of trailers" }
        answer.hasTrailers = true
      }
    }

    func streamWritable() {}

    func streamClosed(_ end: StreamEnd) {
      note { $0.end = end }
      let (answer, waiter) = state.withLock { state in
        defer { state.waiter = nil }
        return (state.answer, state.waiter)
      }
      waiter?.resume(returning: answer)
    }

    private func note(_ change: (inout Answer) -> Void) {
      state.withLock { state in
        if state.answer.end != nil { state.answer.broken = "something after the end" }
        change(&state.answer)
      }
    }

    /// The answer, once its stream is closed.
    func answer() async throws -> Answer {
      await withCheckedContinuation { continuation in
        let known: Answer? = state.withLock { state in
          if state.answer.end != nil { return state.answer }
          state.waiter = continuation
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    }
  }
}
