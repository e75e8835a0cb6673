internal import RPC
internal import Reactor

/// Calls over one connection alone: how a probe asks a server that is not known to be ready.
struct ConnectionChannel: ClientChannel {
  private let connection: ClientConnection
  private let loop: EventLoop
  private let head: @Sendable (String, String, HeaderFields) -> HeaderFields?

  /// - Parameter head: the head of a request; nil when the channel is gone.
  init(
    _ connection: ClientConnection, on loop: EventLoop,
    head: @escaping @Sendable (String, String, HeaderFields) -> HeaderFields?
  ) {
    self.connection = connection
    self.loop = loop
    self.head = head
  }

  func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream {
    guard let head = head(method, path, fields),
      let stream = try await connection.opened(on: loop, head, isLast: isLast, receiver: receiver)
    else {
      throw RPCError(.unavailable, "\(connection.endpoint): the connection takes no more calls")
    }
    return stream
  }
}
