/// What has come of a call's request and is not with its handler yet.
///
/// Confined to the call's executor.
final class RequestInbox {
  struct Message: Sendable {
    var bytes: [UInt8]
    /// Where in the bytes the message begins.
    var start = 0
    var wasCompressed = false

    var count: Int { bytes.count - start }

    func decode<M>(_ codec: MessageCodec<M>, _ form: CallForm) throws -> M {
      try form.decode(codec, bytes.span.extracting(start..<bytes.count))
    }
  }

  var reader: EnvelopeReader
  var textDecoder = Base64StreamDecoder()
  /// The body of a Connect unary request so far.
  var body: [UInt8] = []
  /// Whoever waits for the next message, and which wait that is.
  private var waiter: (ticket: Int, continuation: UnsafeContinuation<Message?, Never>)?
  private var tickets = 0
  /// What the messages that wait take, each of them something even when it is empty.
  private(set) var queuedBytes = 0
  private static let messageOverhead = 64

  /// Messages the handler has not asked for yet, oldest first.
  private var queue: [Message] = []
  private var start = 0

  init(limit: Int) { reader = EnvelopeReader(limit: limit) }

  /// Bytes that the stream was told are kept here.
  var reportedBytes = 0

  /// Bytes kept here.
  var heldBytes: Int { reader.partialBytes + queuedBytes + body.count }

  /// Whether the request may end here.
  var isAtBoundary: Bool { reader.isAtBoundary && textDecoder.isAtBoundary }

  func append(_ message: Message) {
    queue.append(message)
    queuedBytes += message.count + Self.messageOverhead
  }

  func take() -> Message? {
    guard start < queue.count else { return nil }
    let message = queue[start]
    queue[start].bytes = []
    start += 1
    if start == queue.count {
      queue.removeAll(keepingCapacity: true)
      start = 0
    }
    queuedBytes -= message.count + Self.messageOverhead
    return message
  }

  // MARK: Waiting

  var hasWaiter: Bool { waiter != nil }

  /// A number for a wait that is about to begin.
  func nextTicket() -> Int {
    tickets += 1
    return tickets
  }

  func wait(_ ticket: Int, _ continuation: UnsafeContinuation<Message?, Never>) {
    waiter = (ticket, continuation)
  }

  /// Gives the message to whoever waits; false when nobody does.
  func handOver(_ message: Message) -> Bool {
    guard let waiter else { return false }
    self.waiter = nil
    waiter.continuation.resume(returning: message)
    return true
  }

  /// Nobody will come to take a message: the reader of that wait was cancelled.
  func stopWaiting(_ ticket: Int) {
    if waiter?.ticket == ticket { close() }
  }

  /// Whoever waits learns that nothing more comes.
  func close() {
    let waiter = self.waiter
    self.waiter = nil
    waiter?.continuation.resume(returning: nil)
  }
}
