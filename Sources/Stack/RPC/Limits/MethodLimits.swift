internal import Synchronization

/// What one method allows its callers, beside the limits of the whole router.
public struct MethodLimits: Sendable {
  /// Calls of the method at once, over all connections; one more is refused with RESOURCE_EXHAUSTED.
  /// A call counts from its head on until its handler has returned, although it was cancelled before:
  /// calls that arrive together count together.
  public var concurrentCalls: Int?
  /// The largest request message, in bytes after decompression, in place of
  /// `CallLimits.requestMessageBytes`; larger ones are refused with RESOURCE_EXHAUSTED. A handler's request
  /// is kept until the handler returns and counts against no limit from its begin on: a method whose calls
  /// last takes small requests.
  public var requestMessageBytes: Int?
  /// The longest that a call may take, from its head on: it ends with DEADLINE_EXCEEDED, and its
  /// handler is cancelled. A caller's own deadline holds when it is earlier.
  public var timeout: Duration?

  public init(
    concurrentCalls: Int? = nil, requestMessageBytes: Int? = nil, timeout: Duration? = nil
  ) {
    self.concurrentCalls = concurrentCalls
    self.requestMessageBytes = requestMessageBytes
    self.timeout = timeout
  }
}

/// The limits of a method with the count of its calls, shared by all event loops.
final class MethodBounds: Sendable {
  let limits: MethodLimits
  private let calls = Atomic(0)

  init(_ limits: MethodLimits) { self.limits = limits }

  /// False when there are too many calls already; else the call must `leave`.
  func enter() -> Bool {
    // The count is all loops' to write, so calls that nobody counts leave it alone.
    guard let most = limits.concurrentCalls else { return true }
    if calls.add(1, ordering: .relaxed).newValue <= most { return true }
    leave()
    return false
  }

  func leave() {
    if limits.concurrentCalls != nil { calls.subtract(1, ordering: .relaxed) }
  }

  func timeout(_ asked: Duration?) -> Duration? {
    guard let own = limits.timeout else { return asked }
    return asked.map { min($0, own) } ?? own
  }
}

/// A method with limits: the handler without them, and the bounds that its calls keep to.
final class LimitedHandler: MethodHandler {
  private let inner: any MethodHandler
  let bounds: MethodBounds?

  init(_ inner: any MethodHandler, _ limits: MethodLimits) {
    self.inner = inner
    bounds = MethodBounds(limits)
  }

  var path: String { inner.path }
  var kind: MethodKind { inner.kind }
  var idempotency: Idempotency { inner.idempotency }
  var tally: CallTally { inner.tally }
  var unlimited: any MethodHandler { inner }
  func run(_ call: ServerCall) async { await inner.run(call) }
}
