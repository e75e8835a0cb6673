internal import Reactor

/// A connection of which nothing is known but that it was made: it waits for its first bytes, and costs
/// next to nothing until then.
///
/// A client that speaks what the listener speaks is handed on with these bytes. Any other is told in
/// words, as far as its protocol has some.
final class Newcomer: ReadinessHandler, @unchecked Sendable {
  // @unchecked: confined to `loop`.
  private let loop: EventLoop
  private let isTLS: Bool
  private let number: Int32
  private let timeout: Duration
  private var timer: UInt64?
  private var begun: [UInt8] = []
  private var lingerBytes = 0
  private var state = State.waiting

  private enum State { case waiting, lingering, over }

  /// What becomes of a newcomer; comes once, but for `foreign`, behind which `ended` comes.
  enum Outcome {
    /// The socket is the receiver's now; the bytes are lent.
    case speaks(Int32, UnsafeBufferPointer<UInt8>)
    /// It speaks something else, was told so, and may read that for a moment.
    case foreign(String)
    /// Its socket is closed, with the reason if it should be known.
    case ended(String?)
  }
  private var onOutcome: ((Outcome) -> Void)?

  /// Takes ownership of the descriptor.
  init(
    loop: EventLoop, owning number: Int32, isTLS: Bool, timeout: Duration,
    onOutcome: @escaping (Outcome) -> Void
  ) {
    self.loop = loop
    self.number = number
    self.isTLS = isTLS
    self.timeout = timeout
    self.onOutcome = onOutcome
  }

  deinit { if state != .over { _ = FileDescriptor(owning: number) } }

  /// Begins to wait. On the loop.
  func start() {
    do {
      try loop.add(number, self)
    } catch {
      return end("\(error)")
    }
    timer = loop.addTimer(after: timeout) { [self] in
      timer = nil
      end(state == .waiting ? "the client has said too little for \(timeout)" : nil)
    }
  }

  func ready(readable: Bool, writable: Bool) {
    if state == .over { return }
    let half = loop.readBuffer.count / 2
    let buffer = UnsafeMutableBufferPointer(rebasing: loop.readBuffer[..<half])
    let room = UnsafeMutableBufferPointer(rebasing: buffer[begun.count...])
    switch Socket.read(number, into: UnsafeMutableRawBufferPointer(room)) {
    case .bytes(let count):
      if state == .lingering { return lingers(count) }
      for (index, byte) in begun.enumerated() { buffer[index] = byte }
      let total = begun.count + count
      heard(UnsafeBufferPointer(rebasing: buffer[..<total]))
      buffer[..<total].update(repeating: 0)
    case .wouldBlock: break
    // Whoever looks whether somebody listens does no harm.
    case .ended, .failed: end(begun.isEmpty ? nil : "the client closed the connection")
    }
  }

  private func heard(_ bytes: UnsafeBufferPointer<UInt8>) {
    let greeting = Greeting.of(bytes)
    if greeting == .unclear {
      begun = Array(bytes)
    } else if let reason = ForeignAnswer.reason(greeting, isTLS: isTLS) {
      refuse(ForeignAnswer.bytes(greeting, reason), reason)
    } else {
      stop()
      tell(.speaks(number, bytes))
    }
  }

  /// Closing a socket with unread input would make the kernel throw the answer away.
  private func refuse(_ answer: [UInt8], _ reason: String) {
    _ = answer.withUnsafeBytes { Socket.write(number, $0) }
    Socket.shutdownWrites(number)
    state = .lingering
    if let timer { loop.cancelTimer(timer) }
    timer = loop.addTimer(after: .seconds(1)) { [self] in
      timer = nil
      end(nil)
    }
    onOutcome?(.foreign(reason))
  }

  private func lingers(_ count: Int) {
    lingerBytes += count
    if lingerBytes > 64 << 10 { end(nil) }
  }

  private func tell(_ outcome: Outcome) {
    let told = onOutcome
    onOutcome = nil
    told?(outcome)
  }

  private func stop() {
    state = .over
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    loop.remove(number)
  }

  /// Ends the connection. On the loop; without effect once it is over or handed on.
  func end(_ reason: String?) {
    if state == .over { return }
    // Of one that lingers the reason is known already.
    let reason = state == .lingering ? nil : reason
    stop()
    _ = FileDescriptor(owning: number)
    tell(.ended(reason))
  }
}
