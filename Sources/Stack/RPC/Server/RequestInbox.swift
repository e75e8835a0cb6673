/// What has come of a call's request and is not with its handler yet.
///
/// Confined to the call's executor.
final class RequestInbox {
  var reader: RequestReader
  /// Whoever waits for the next message.
  private var readers = WaitingList<RequestMessage?>()
  /// What the messages that wait take, each of them something even when it is empty.
  private(set) var queuedBytes = 0
  private static let messageOverhead = 64

  /// Messages the handler has not asked for yet, oldest first.
  private var queue: [RequestMessage] = []
  private var start = 0

  init(_ reader: RequestReader) { self.reader = reader }

  /// Bytes that the stream was told are kept here.
  var reportedBytes = 0

  /// Bytes kept here.
  var heldBytes: Int { reader.heldBytes + queuedBytes }

  func append(_ message: RequestMessage) {
    queue.append(message)
    queuedBytes += message.count + Self.messageOverhead
  }

  func take() -> RequestMessage? {
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

  var hasReader: Bool { !readers.isEmpty }

  func takeTicket() -> Int { readers.takeTicket() }

  func wait(_ ticket: Int, _ continuation: UnsafeContinuation<RequestMessage?, Never>) {
    readers.add(ticket, continuation)
  }

  /// Gives the message to whoever waits; false when nobody does.
  func handOver(_ message: RequestMessage) -> Bool {
    guard let reader = readers.removeFirst() else { return false }
    reader.resume(returning: message)
    return true
  }

  /// Nobody will come to take a message: the reader of that wait was cancelled.
  func stopWaiting(_ ticket: Int) { readers.remove(ticket)?.resume(returning: nil) }

  /// Whoever waits learns that nothing more comes.
  func close() { for reader in readers.removeAll() { reader.resume(returning: nil) } }
}
