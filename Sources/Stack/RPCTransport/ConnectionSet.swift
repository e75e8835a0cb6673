internal import HTTP2
internal import RPC
internal import Reactor

/// Stands for a connection from when it was accepted, also before there is an object for it.
final class NewcomerID: Sendable {}

/// The connections that live on one loop. Confined to it.
final class ConnectionSet: @unchecked Sendable {
  let loop: EventLoop
  let handlers: HandlerPool
  let events = EventStorage()
  let limit: ConnectionLimit
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var newcomers: [ObjectIdentifier: Newcomer] = [:]
  private var handshaking: [ObjectIdentifier: ServerConnection] = [:]

  init(loop: EventLoop, limit: ConnectionLimit) {
    self.loop = loop
    self.handlers = HandlerPool(executor: loop)
    self.limit = limit
  }

  /// Keeps a newcomer until it is forgotten.
  func welcome(_ id: NewcomerID, _ newcomer: Newcomer) {
    newcomers[ObjectIdentifier(id)] = newcomer
    newcomer.start()
  }

  func forget(_ id: NewcomerID) { newcomers[ObjectIdentifier(id)] = nil }

  /// Takes a connection in, with the first bytes of its client.
  func add(
    _ connection: ServerConnection, _ id: NewcomerID, _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    connections[ObjectIdentifier(connection)] = connection
    handshaking[ObjectIdentifier(id)] = connection
    connection.onEstablished = { [unowned self] in handshaking[ObjectIdentifier(id)] = nil }
    connection.start(bytes)
  }

  func remove(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = nil
  }

  /// Ends a connection that is handshaking; without effect on one that is not any more.
  func end(_ id: NewcomerID, _ reason: String) {
    newcomers[ObjectIdentifier(id)]?.end(reason)
    handshaking[ObjectIdentifier(id)]?.close(.closed(reason))
  }

  func drainAll() {
    for newcomer in Array(newcomers.values) { newcomer.end(nil) }
    for connection in connections.values { connection.drain() }
  }

  func drainAll(where isMeant: (Peer) -> Bool) {
    for connection in connections.values where isMeant(connection.peer) { connection.drain() }
  }

  func closeAll(_ reason: String) {
    for newcomer in Array(newcomers.values) { newcomer.end(nil) }
    for connection in Array(connections.values) { connection.end(.closed(reason)) }
  }
}
