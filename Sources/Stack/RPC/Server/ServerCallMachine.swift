/// The life of one call on the server: which messages may come, what may still be sent.
///
/// ```
///            messageReceived        requestEnded
///  open(receiving) ──────► open(receiving) ──────► open(complete)
///      │   messageWritten: the response goes notStarted → streaming, once
///      │   ended                         │ streamLost
///      ▼                                 ▼
///   finished                         abandoned
/// ```
/// Pure: no stream, no clock, no task. The driver is `ServerCall`.
package struct ServerCallMachine: Equatable {
  /// Two messages stand for any more.
  package enum Request: Equatable { case receiving(messages: UInt8), complete(messages: UInt8) }
  package enum Response: Equatable { case notStarted, streaming }
  package enum State: Equatable {
    case open(Request, Response)
    /// The status was sent, or is on its way.
    case finished
    /// The peer or the connection went away before the status was sent.
    case abandoned
  }

  package private(set) var state: State = .open(.receiving(messages: 0), .notStarted)
  package let kind: MethodKind

  package init(kind: MethodKind) { self.kind = kind }

  package enum MessageEffect: Equatable { case deliver, refuseSecondMessage, ignore }

  package mutating func messageReceived() -> MessageEffect {
    guard case .open(.receiving(let count), let response) = state else { return .ignore }
    if count == 1 && !kind.clientStreams { return .refuseSecondMessage }
    state = .open(.receiving(messages: min(count + 1, 2)), response)
    return .deliver
  }

  package enum EndEffect: Equatable { case startHandler, endInput, refuseMissingMessage, ignore }

  package mutating func requestEnded() -> EndEffect {
    guard case .open(.receiving(let count), let response) = state else { return .ignore }
    state = .open(.complete(messages: count), response)
    if kind.clientStreams { return .endInput }
    return count == 1 ? .startHandler : .refuseMissingMessage
  }

  package enum WriteEffect: Equatable { case sendHeadFirst, send, discard }

  /// The handler has a response message, or asks for the head to be sent.
  package mutating func messageWritten() -> WriteEffect {
    guard case .open(let request, let response) = state else { return .discard }
    state = .open(request, .streaming)
    return response == .notStarted ? .sendHeadFirst : .send
  }

  package enum FinishEffect: Equatable { case headAndTrailers, trailers, discard }

  /// The call has a status: from the handler, or because it was refused or timed out.
  package mutating func ended() -> FinishEffect {
    guard case .open(_, let response) = state else { return .discard }
    state = .finished
    return response == .notStarted ? .headAndTrailers : .trailers
  }

  package enum LossEffect: Equatable { case cancelHandler, nothing }

  package mutating func streamLost() -> LossEffect {
    guard case .open = state else { return .nothing }
    state = .abandoned
    return .cancelHandler
  }

  /// Whether the handler waits for the end of the one request message.
  package var awaitsRequest: Bool {
    if case .open(.receiving, _) = state { return !kind.clientStreams }
    return false
  }

  package var isOpen: Bool {
    if case .open = state { return true }
    return false
  }
}
