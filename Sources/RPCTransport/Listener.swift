internal import Crypto
internal import RPC
internal import Reactor

/// One listening socket, on the first loop; deals its connections out to all of them.
final class Listener: ReadinessHandler, @unchecked Sendable {
  // @unchecked: confined to the loop it was started on.
  private let descriptor: FileDescriptor
  private let address: String
  private let isUnix: Bool
  private let tls: (@Sendable () -> TLSContext)?
  private let sets: [ConnectionSet]
  private let service: any HTTPService
  private let configuration: ServerConfiguration
  private var loop: EventLoop?
  private var next = 0

  init(
    descriptor: consuming FileDescriptor, address: String, isUnix: Bool,
    tls: (@Sendable () -> TLSContext)?, sets: [ConnectionSet], service: any HTTPService,
    configuration: ServerConfiguration
  ) {
    self.descriptor = descriptor
    self.address = address
    self.isUnix = isUnix
    self.tls = tls
    self.sets = sets
    self.service = service
    self.configuration = configuration
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
    Socket.shutdown(descriptor.number)
  }

  func ready(readable: Bool, writable: Bool) {
    // Bounded, so that a flood of connections does not starve those that exist.
    for _ in 0..<64 {
      do {
        guard let number = try Socket.accept(descriptor.number) else { return }
        accept(FileDescriptor(owning: number))
      } catch {
        return pause()
      }
    }
  }

  /// Out of descriptors or memory: waiting connections stay in the backlog for a moment.
  private func pause() {
    guard let loop else { return }
    loop.watch(descriptor.number, reads: false, writes: false)
    _ = loop.addTimer(after: .milliseconds(100)) { [weak self] in
      guard let self, let loop = self.loop else { return }
      loop.watch(self.descriptor.number, reads: true, writes: false)
    }
  }

  /// A client without TLS is told why, as far as it listens already: SETTINGS, and GOAWAY with
  /// ENHANCE_YOUR_CALM.
  private func refuse(_ socket: consuming FileDescriptor) {
    if tls == nil {
      let text = Array("too many connections".utf8)
      let frames: [UInt8] =
        [0, 0, 0, 4, 0, 0, 0, 0, 0]
        + [0, 0, UInt8(8 + text.count), 7, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 0xb] + text
      _ = frames.withUnsafeBytes { Socket.write(socket.number, $0) }
    }
  }

  private func accept(_ socket: consuming FileDescriptor) {
    let set = sets[next]
    next = (next + 1) % sets.count
    guard set.limit.take() else { return refuse(socket) }
    let peer: Peer
    if isUnix {
      let process = Socket.peerCredentials(socket.number).map {
        Peer.Process(userID: $0.userID, groupID: $0.groupID, processID: $0.processID)
      }
      peer = Peer(address: address, localAddress: address, process: process)
    } else {
      Socket.setNoDelay(socket.number)
      peer = Peer(
        address: Socket.peerAddress(socket.number)?.text ?? "unknown", localAddress: address)
    }
    let number = socket.release()
    let accepted = peer
    set.loop.run { [self] in
      let socket = FileDescriptor(owning: number)
      var engine: TLSEngine?
      if let tls {
        do { engine = try TLSEngine(tls()) } catch {
          set.limit.giveBack()
          return
        }
      }
      set.add(
        ServerConnection(
          loop: set.loop, handlers: set.handlers, events: set.events, descriptor: socket,
          tls: engine, peer: accepted,
          service: service,
          configuration: configuration, limit: set.limit
        ) { set.remove($0) })
    }
  }
}
