internal import Crypto
internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// One listening socket, on the first loop; deals its connections out to all of them.
final class Listener: ReadinessHandler, @unchecked Sendable {
  // @unchecked: confined to the loop it was started on.
  private let descriptor: FileDescriptor
  private let address: String
  private let isUnix: Bool
  /// Whether the socket goes on listening for somebody else when this listener has stopped.
  private let isShared: Bool
  private let tls: (@Sendable () -> TLSContext)?
  private let sets: [ConnectionSet]
  private let service: any HTTPService
  private let configuration: ServerConfiguration
  private let reports: ReportDesk
  private let limit: ConnectionLimit
  private let number: Int
  private let handshakes: Handshakes
  private var loop: EventLoop?
  private var next = 0

  init(
    descriptor: consuming FileDescriptor, address: String, isUnix: Bool, isShared: Bool = false,
    tls: (@Sendable () -> TLSContext)?, sets: [ConnectionSet], service: any HTTPService,
    configuration: ServerConfiguration, reports: ReportDesk, limit: ConnectionLimit
  ) {
    self.descriptor = descriptor
    self.address = address
    self.isUnix = isUnix
    self.isShared = isShared
    self.tls = tls
    self.sets = sets
    self.service = service
    var configuration = configuration
    configuration.http2.takesAnyAuthority = isUnix
    self.configuration = configuration
    self.reports = reports
    self.limit = limit
    self.number = limit.addListener()
    self.handshakes = Handshakes(limit: configuration.maxHandshakes)
  }

  func start(on loop: EventLoop) -> SystemError? {
    self.loop = loop
    do {
      try loop.add(descriptor.number, self)
      return nil
    } catch { return error }
  }

  func stop() {
    loop?.remove(descriptor.number)
    loop = nil
    // It would end the socket itself, and so for everybody who has it.
    if !isShared { Socket.shutdown(descriptor.number) }
  }

  func ready(readable: Bool, writable: Bool) {
    // Bounded, so that a flood of connections does not starve those that exist.
    for _ in 0..<64 {
      if handshakes.isFull { return pause() }
      do {
        guard let number = try Socket.accept(descriptor.number) else { return }
        accept(FileDescriptor(owning: number))
      } catch {
        reports.report(
          .exhausted, listener: address, peer: "unknown",
          "\(error.description): connections wait until there is room")
        return pause()
      }
    }
  }

  /// Out of descriptors or memory, or too many handshakes under way: waiting connections stay in the
  /// backlog for a moment.
  private func pause() {
    guard let loop else { return }
    loop.watch(descriptor.number, reads: false, writes: false)
    _ = loop.addTimer(after: .milliseconds(100)) { [weak self] in
      guard let self, let loop = self.loop else { return }
      loop.watch(self.descriptor.number, reads: true, writes: false)
    }
  }

  private func accept(_ socket: consuming FileDescriptor) {
    let peer = peer(of: socket.number)
    let source =
      isUnix
      ? SourceAddress.user(peer.process?.userID, server: Socket.ownUserID)
      : peer.host.map(SourceAddress.key)
    if let refusal = limit.take(number, source: source) {
      return refuse(socket, Self.name(peer), reason(refusal))
    }
    let ticket = Ticket(limit: limit, listener: number, source: source, handshakes: handshakes)
    let set = sets[next]
    next = (next + 1) % sets.count
    let newcomer = NewcomerID()
    let admission = handshakes.enter(source) {
      set.loop.run { set.end(newcomer, "the handshake took long, and others wait") }
    }
    switch admission {
    case .refused:
      ticket.giveBack()
      return refuse(
        socket, Self.name(peer), "too many handshakes under way from your \(sourceName)")
    case .admitted(let handshake, let evicted):
      ticket.handshakes(as: handshake)
      evicted?.end()
    }
    if !isUnix { Socket.setNoDelay(socket.number) }
    let descriptor = socket.release()
    let accepted = Accepted(
      id: newcomer, ticket: ticket, address: peer.address, process: peer.process,
      deadline: .now + configuration.handshakeTimeout)
    set.loop.run { [self] in welcome(descriptor, accepted, set) }
  }

  private func reason(_ refusal: ConnectionLedger.Refusal) -> String {
    switch refusal {
    case .all, .listener: "too many connections"
    case .source: "too many connections from your \(sourceName)"
    }
  }

  private var sourceName: String { isUnix ? "user" : "address" }

  /// Who a report is about. All clients of a Unix socket have its path for an address.
  private static func name(
    _ peer: (address: String, host: String?, process: Peer.Process?)
  ) -> String {
    peer.process.map { "\(peer.address) (uid \($0.userID))" } ?? peer.address
  }

  private func peer(
    of socket: Int32
  ) -> (address: String, host: String?, process: Peer.Process?) {
    if isUnix {
      let process = Socket.peerCredentials(socket).map {
        Peer.Process(
          userID: $0.userID, groupID: $0.groupID, processID: $0.processID,
          groups: Socket.peerGroups(socket))
      }
      return (address, nil, process)
    }
    guard let peer = Socket.peerAddress(socket), case .ip(let host, _) = peer else {
      return ("unknown", nil, nil)
    }
    return (peer.text, host, nil)
  }

  /// A client without TLS is told why, as far as it listens already: GOAWAY with ENHANCE_YOUR_CALM.
  private func refuse(_ socket: consuming FileDescriptor, _ peer: String, _ reason: String) {
    reports.report(.refused, listener: address, peer: peer, reason)
    if tls == nil {
      let answer = ForeignAnswer.goAway(.enhanceYourCalm, reason)
      _ = answer.withUnsafeBytes { Socket.write(socket.number, $0) }
    }
  }

  // MARK: On the connection's loop

  /// What is known of a client that has said nothing yet.
  private struct Accepted: Sendable {
    let id: NewcomerID
    let ticket: Ticket
    let address: String
    let process: Peer.Process?
    let deadline: ContinuousClock.Instant
  }

  /// Takes ownership of the descriptor.
  private func welcome(_ descriptor: Int32, _ accepted: Accepted, _ set: ConnectionSet) {
    let newcomer = Newcomer(
      loop: set.loop, owning: descriptor, isTLS: tls != nil, timeout: configuration.handshakeTimeout
    ) { [self] outcome in
      switch outcome {
      case .speaks(let descriptor, let bytes):
        set.forget(accepted.id)
        begin(FileDescriptor(owning: descriptor), accepted, set, bytes)
      case .foreign(let reason):
        reports.report(
          .foreignProtocol, listener: address, peer: accepted.address, reason)
        // Its place among the handshakes is for others. It counts as a connection while it has a descriptor.
        accepted.ticket.established()
      case .ended(let reason):
        set.forget(accepted.id)
        if let reason {
          reports.report(.handshakeFailed, listener: address, peer: accepted.address, reason)
        }
        accepted.ticket.giveBack()
      }
    }
    set.welcome(accepted.id, newcomer)
  }

  private func begin(
    _ socket: consuming FileDescriptor, _ accepted: Accepted, _ set: ConnectionSet,
    _ bytes: UnsafeBufferPointer<UInt8>
  ) {
    var engine: TLSEngine?
    if let tls {
      do { engine = try TLSEngine(tls()) } catch {
        accepted.ticket.giveBack()
        return reports.report(
          .handshakeFailed, listener: address, peer: accepted.address, "\(error)")
      }
    }
    let peer = Peer(address: accepted.address, localAddress: address, process: accepted.process)
    let connection = ServerConnection(
      loop: set.loop, handlers: set.handlers, events: set.events, descriptor: socket, tls: engine,
      peer: peer, service: service, configuration: configuration, limit: set.limit,
      ticket: accepted.ticket, deadline: accepted.deadline, reports: reports
    ) { set.remove($0) }
    set.add(connection, accepted.id, bytes)
  }
}
