import HTTP2Codes
import Synchronization

/// One call on the client: carries out what its `ClientCallMachine` says.
///
/// The transport's events and the caller meet under one lock; continuations are resumed, and streams spoken to,
/// after the lock is given back.
final class ClientCall: HTTPResponseReceiver {
  typealias Opener = @Sendable () async throws(RPCError) -> any HTTPClientStream

  private struct State {
    var machine: ClientCallMachine
    /// The stream, once it is open and has been sent again what the one before was sent.
    var stream: (any HTTPClientStream)?
    /// Makes the stream on which the call is sent once more.
    var reopen: Opener?
    /// Opens the current stream.
    var opening: Task<Void, Never>?
    /// Those who wait for an event; each looks again after every one.
    var waiters = WaitingList<Void>()
    /// Those who wait for room to send.
    var writers = WaitingList<Void>()
    var timer: Task<Void, Never>?
  }

  /// What is done when the lock is given back.
  private struct Afterwards {
    var wakes: [UnsafeContinuation<Void, Never>] = []
    var stream: (any HTTPClientStream)?
    var credit = 0
    var resets = false
    var reopen: (Opener, number: Int)?
  }

  private let kind: MethodKind
  private let deadline: ContinuousClock.Instant?
  private let state: Mutex<State>

  init(
    form: ClientForm, kind: MethodKind, responseMessageBytes: Int,
    deadline: ContinuousClock.Instant? = nil
  ) {
    self.deadline = deadline
    self.kind = kind
    let reader = ResponseReader(form: form, kind: kind, limit: responseMessageBytes)
    state = Mutex(State(machine: ClientCallMachine(reader: reader)))
  }

  // MARK: Life

  /// Opens the stream; a call that ends meanwhile (its deadline, a cancellation) does not wait for
  /// the connection.
  ///
  /// - Parameter body: called once more when the server has certainly not worked on the call.
  func open(_ body: @escaping Opener) async throws(RPCError) {
    state.withLock { state in
      // A call that is over is not opened again, and what would hold it is not kept.
      if state.machine.isOver { return }
      state.machine.start()
      state.reopen = body
    }
    openStream(0, body)
    await wait { $0.state != .opening }
    if let status, status.code != .ok { throw status }
  }

  /// Opens a stream in a task of its own, which ends with the call.
  private func openStream(_ number: Int, _ body: @escaping Opener) {
    let opening = Task {
      do throws(RPCError) {
        opened(try await body(), number)
      } catch {
        step { $0.openingFailed(number, error, isLate: $1) }
      }
    }
    let isOver = state.withLock { state in
      if state.machine.streamNumber == number { state.opening = opening }
      return state.machine.isOver
    }
    if isOver { opening.cancel() }
  }

  /// A stream is open. It becomes the call's when it has got what was sent on the one before.
  private func opened(_ stream: any HTTPClientStream, _ number: Int) {
    var replayed = 0
    while true {
      let (effect, afterwards) = state.withLock { state in
        let effect = state.machine.opened(number, replayed: replayed)
        var afterwards = Afterwards(stream: stream)
        if effect == .use {
          state.stream = stream
          state.opening = nil
          if !state.machine.mayBeSentAgain { state.reopen = nil }
          afterwards.credit = state.machine.takeCredit()
          afterwards.wakes = state.waiters.removeAll()
        }
        return (effect, afterwards)
      }
      switch effect {
      case .replay(let chunks, let isLast):
        for (i, chunk) in chunks.enumerated() {
          stream.send(chunk, isLast: isLast && i == chunks.count - 1)
        }
        replayed += chunks.count
      case .use: return carryOut(afterwards)
      case .drop: return
      case .reset: return stream.reset(.cancel)
      }
    }
  }

  /// Ends the call at its deadline.
  func startTimer() {
    guard let deadline else { return }
    let timer = Task { [weak self] in
      guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
      self?.step { machine, _ in machine.deadlinePassed() }
    }
    state.withLock { if $0.machine.isOver { timer.cancel() } else { $0.timer = timer } }
  }

  func cancel() { abort(RPCError(.cancelled, "the call was cancelled")) }

  /// Ends the call from this side: the server is told by RST_STREAM(CANCEL).
  func abort(_ error: RPCError) { step { $0.aborted(error, isLate: $1) } }

  // MARK: Steps

  /// Gives the machine its input, with whether the deadline has passed, and does what it says.
  private func step(_ input: (inout ClientCallMachine, _ isLate: Bool) -> ClientCallMachine.Effect)
  {
    let isLate = deadline.map { ContinuousClock.now >= $0 } ?? false
    let afterwards = state.withLock { state in
      let effect = input(&state.machine, isLate)
      var afterwards = Afterwards(stream: state.stream)
      afterwards.credit = state.machine.takeCredit()
      switch effect {
      case .nothing: break
      case .wake: afterwards.wakes = state.waiters.removeAll()
      case .finish, .abort:
        afterwards.wakes = state.writers.removeAll() + state.waiters.removeAll()
        afterwards.resets = effect == .abort
        state.opening?.cancel()
        state.opening = nil
        state.timer?.cancel()
        state.timer = nil
      case .sendAgain(let number):
        afterwards.wakes = state.writers.removeAll()
        afterwards.reopen = state.reopen.map { ($0, number) }
        state.stream = nil
      }
      if !state.machine.mayBeSentAgain { state.reopen = nil }
      return afterwards
    }
    carryOut(afterwards)
  }

  private func carryOut(_ afterwards: Afterwards) {
    if afterwards.credit > 0 { afterwards.stream?.release(afterwards.credit) }
    for waiter in afterwards.wakes { waiter.resume() }
    if afterwards.resets { afterwards.stream?.reset(.cancel) }
    if let (reopen, number) = afterwards.reopen { openStream(number, reopen) }
  }

  /// Returns when the condition holds. Cancelling the task cancels the call, which ends it.
  private func wait(until isReady: @Sendable (ClientCallMachine) -> Bool) async {
    await withTaskCancellationHandler {
      while true {
        if state.withLock({ isReady($0.machine) }) { return }
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
          let mustWait = state.withLock { state in
            if isReady(state.machine) { return false }
            state.waiters.add(continuation)
            return true
          }
          if !mustWait { continuation.resume() }
        }
      }
    } onCancel: {
      cancel()
    }
  }

  // MARK: The caller's side

  /// The server has begun to answer.
  var isCommitted: Bool { state.withLock { $0.machine.isCommitted } }

  /// How the call ended, nil while it has not.
  var status: RPCError? { state.withLock { $0.machine.end } }

  /// Returns when the server has begun to answer or the call has ended with OK.
  ///
  /// - Throws: the status of a call that ended otherwise.
  func waitForAnswer() async throws(RPCError) {
    await wait { $0.isCommitted || $0.hasMessage || $0.isOver }
    let (isThere, end) = state.withLock {
      ($0.machine.isCommitted || $0.machine.hasMessage, $0.machine.end)
    }
    if !isThere, let end, end.code != .ok { throw end }
  }

  /// The next response message, nil after the last when the status is OK.
  ///
  /// - Throws: the status of a call that did not end with OK.
  func next() async throws(RPCError) -> [UInt8]? {
    while true {
      let (effect, credit, stream) = state.withLock { state in
        let effect = state.machine.take()
        return (effect, state.machine.takeCredit(), state.stream)
      }
      if credit > 0 { stream?.release(credit) }
      switch effect {
      case .message(let message): return message
      case .end(let end):
        if end.code == .ok { return nil }
        throw end
      case .wait: await wait { $0.hasMessage || $0.isOver }
      }
    }
  }

  /// The metadata of the response's head; waits for it. Empty when the call failed before.
  func initialMetadata() async -> Metadata {
    await wait { $0.initial != nil || $0.isOver || $0.hasMessage }
    return receivedInitialMetadata
  }

  /// The metadata of the response's head, empty while there is none.
  var receivedInitialMetadata: Metadata { state.withLock { $0.machine.initial } ?? Metadata() }

  /// The metadata that came with the status; empty until the call has ended.
  var trailingMetadata: Metadata { status?.metadata ?? Metadata() }

  /// Sends bytes; returns when there is room for more.
  func send(_ bytes: [UInt8], isLast: Bool) async throws(RPCError) {
    let stream = try await accepted(bytes, isLast: isLast)
    stream.send(bytes, isLast: isLast)
    if isLast || stream.queuedBytes <= ClientCallMachine.bufferBytes { return }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          // A stream that was replaced meanwhile tells nobody of room any more.
          if state.machine.isOver || state.stream !== stream
            || stream.queuedBytes <= ClientCallMachine.bufferBytes
          {
            return true
          }
          state.writers.add(continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The stream that takes the bytes, once there is one.
  private func accepted(
    _ bytes: [UInt8], isLast: Bool
  ) async throws(RPCError) -> any HTTPClientStream {
    while true {
      let (effect, stream) = state.withLock { state in
        let effect = state.machine.send(bytes, isLast: isLast, isLong: kind.clientStreams)
        if !state.machine.mayBeSentAgain { state.reopen = nil }
        return (effect, state.stream)
      }
      switch effect {
      case .send: if let stream { return stream }
      case .fail(let error): throw error
      case .wait: await wait { $0.state != .opening }
      }
    }
  }

  // MARK: From the transport

  func stillWaiting(_ reason: RPCError) { state.withLock { $0.machine.stillWaiting(reason) } }

  func receivedHead(_ fields: HeaderFields, isLast: Bool) {
    step { $0.receivedHead(fields, isLast: isLast, isLate: $1) }
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    step { $0.received(data, isLast: isLast, isLate: $1) }
  }

  func receivedTrailers(_ fields: HeaderFields) {
    step { $0.receivedTrailers(fields, isLate: $1) }
  }

  func streamWritable() {
    for writer in state.withLock({ $0.writers.removeAll() }) { writer.resume() }
  }

  func streamClosed(_ end: StreamEnd) { step { $0.closed(end, isLate: $1) } }
}
