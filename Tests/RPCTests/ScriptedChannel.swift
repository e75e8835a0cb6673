import HTTP2Codes
import RPC
import Synchronization

/// A server that answers each call with what it was told to, as bytes that others might write: what
/// the client makes of them is tested without our own server.
final class ScriptedChannel: ClientChannel {
  /// What comes back, in this order.
  enum Step: Sendable {
    case head(HeaderFields, isLast: Bool = false)
    case body([UInt8], isLast: Bool = false)
    case trailers(HeaderFields)
    case close(StreamEnd)

    static func head(
      _ fields: KeyValuePairs<String, String>, isLast: Bool = false
    ) -> Step { .head(HeaderFields(fields), isLast: isLast) }

    static func trailers(_ fields: KeyValuePairs<String, String>) -> Step {
      .trailers(HeaderFields(fields))
    }
  }

  /// What was asked.
  struct Request: Sendable {
    var method: String
    var path: String
    var fields: HeaderFields
    var body: [UInt8] = []
    var isComplete = false
    var resetCode: HTTP2ErrorCode?
  }

  private let scripts: [[Step]]
  private let seen = Mutex<[Request]>([])

  /// - Parameter steps: played when a request is complete; an end of the stream is added.
  init(_ steps: [Step]) { scripts = [steps] }

  /// - Parameter scripts: one for each call; the last serves all that follow.
  init(scripts: [[Step]]) { self.scripts = scripts }

  var requests: [Request] { seen.withLock { $0 } }

  func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream {
    let index = seen.withLock { seen in
      seen.append(Request(method: method, path: path, fields: fields, isComplete: isLast))
      return seen.count - 1
    }
    if isLast { play(index, to: receiver) }
    return Stream(channel: self, index: index, receiver: receiver)
  }

  private func play(_ index: Int, to receiver: any HTTPResponseReceiver) {
    for step in scripts[min(index, scripts.count - 1)] + [.close(.complete)] {
      switch step {
      case .head(let fields, let isLast): receiver.receivedHead(fields, isLast: isLast)
      case .body(let bytes, let isLast): receiver.received(bytes.span, isLast: isLast)
      case .trailers(let fields): receiver.receivedTrailers(fields)
      case .close(let end): return receiver.streamClosed(end)
      }
    }
  }

  private final class Stream: HTTPClientStream {
    let channel: ScriptedChannel
    let index: Int
    let receiver: any HTTPResponseReceiver

    init(channel: ScriptedChannel, index: Int, receiver: any HTTPResponseReceiver) {
      self.channel = channel
      self.index = index
      self.receiver = receiver
    }

    func send(_ bytes: [UInt8], isLast: Bool) {
      channel.seen.withLock { seen in
        seen[index].body += bytes
        if isLast { seen[index].isComplete = true }
      }
      if isLast { channel.play(index, to: receiver) }
    }

    func reset(_ errorCode: HTTP2ErrorCode) {
      channel.seen.withLock { $0[index].resetCode = errorCode }
    }

    func release(_ bytes: Int) {}
    var queuedBytes: Int { 0 }
  }
}

extension [UInt8] {
  /// The bytes in an envelope of gRPC, gRPC-Web and Connect.
  func enveloped(flags: UInt8 = 0) -> [UInt8] {
    [
      flags, UInt8(count >> 24 & 255), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
      UInt8(count & 255),
    ] + self
  }
}
