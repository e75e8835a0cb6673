/// Those who wait for one thing, each with a ticket by which its wait can be ended alone.
///
/// A value, confined as its owner is: who takes a continuation out resumes it, once.
struct WaitingList<Value> {
  private var waiting: [(ticket: Int, continuation: UnsafeContinuation<Value, Never>)] = []
  private var tickets = 0

  var isEmpty: Bool { waiting.isEmpty }

  /// A number for a wait that is about to begin.
  mutating func takeTicket() -> Int {
    tickets += 1
    return tickets
  }

  mutating func add(_ ticket: Int, _ continuation: UnsafeContinuation<Value, Never>) {
    waiting.append((ticket, continuation))
  }

  /// A wait that ends with all the others.
  mutating func add(_ continuation: UnsafeContinuation<Value, Never>) {
    add(takeTicket(), continuation)
  }

  /// Takes one out; nil when its wait is over.
  mutating func remove(_ ticket: Int) -> UnsafeContinuation<Value, Never>? {
    waiting.firstIndex { $0.ticket == ticket }.map { waiting.remove(at: $0).continuation }
  }

  /// Takes out whoever has waited longest; nil when nobody waits.
  mutating func removeFirst() -> UnsafeContinuation<Value, Never>? {
    waiting.isEmpty ? nil : waiting.removeFirst().continuation
  }

  /// Takes everybody out.
  mutating func removeAll() -> [UnsafeContinuation<Value, Never>] {
    defer { waiting = [] }
    return waiting.map(\.continuation)
  }
}
