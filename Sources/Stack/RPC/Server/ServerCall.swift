import Synchronization

/// One call on the server, as its handler and the interceptors see it.
///
/// The call's `Task` is cancelled as soon as the client cancels, the deadline passes or the
/// connection is lost. The members that the transport drives are confined to the call's executor;
/// what handlers touch may be touched from anywhere.
public final class ServerCall: @unchecked Sendable {
  // @unchecked: `machine`, `task`, `following` and the numbers are touched on `executor` only.

  public let peer: Peer
  let stream: any HTTPServerStream
  let head: HTTPRequestHead
  let resolved: ResolvedCall
  /// Runs the handler, once that has begun and until the call is over.
  var task: Task<Void, Never>?
  /// Made when it is needed, and owned: calls that wait are many, and should be small. Not an
  /// `AtomicLazyReference`, whose code the compiler does not inline.
  private let lazyExtras = Atomic<Unmanaged<CallExtras>?>(nil)
  /// Nil for calls whose callers wait as long as it takes.
  private(set) var callDeadline: CallDeadline?
  /// When its head was read.
  let begun = ContinuousClock.now
  var unreleasedBytes = 0
  var following = Following()

  var machine: ServerCallMachine
  /// The call is among those of its method. It is until its handler has returned, or until it is over
  /// when no handler was started.
  var isCounted: Bool
  var isHandled = false
  /// The client has sent its last message.
  var inputEnded = false
  /// Whether the request message that the handler took last came compressed.
  public internal(set) var requestWasCompressed = false

  var extras: CallExtras? {
    lazyExtras.load(ordering: .acquiring)?.takeUnretainedValue()
  }

  func makeExtras() -> CallExtras {
    if let extras { return extras }
    let made = Unmanaged.passRetained(CallExtras())
    let (isFirst, found) = lazyExtras.compareExchange(
      expected: nil, desired: made, ordering: .acquiringAndReleasing)
    if !isFirst { made.release() }
    return (found ?? made).takeUnretainedValue()
  }

  deinit { lazyExtras.load(ordering: .acquiring)?.release() }

  init(stream: any HTTPServerStream, head: HTTPRequestHead, resolved: ResolvedCall) {
    self.stream = stream
    self.peer = stream.peer
    self.head = head
    self.resolved = resolved
    self.machine = ServerCallMachine(kind: resolved.kind)
    self.isCounted = resolved.bounds != nil
    if resolved.kind != .unary { resolved.tally.streamBegan() }
    guard let timeout = resolved.timeout else { return }
    let deadline = CallDeadline(after: timeout)
    callDeadline = deadline
    deadline.start(timeout, of: self, on: stream.executor)
  }

  var executor: any CallExecutor { stream.executor }
  package var isOnExecutor: Bool { stream.isOnExecutor }
  var limits: CallLimits { resolved.limits }
  var compressingForm: CallForm? { extras?.compressingForm }
  /// How this call is written.
  var form: CallForm { compressingForm ?? resolved.form }
  /// gRPC with binary messages and no compression.
  var isPlain: Bool { resolved.form.isPlain && compressingForm == nil }
  /// Nothing can be sent any more.
  var isOver: Bool { !machine.isOpen }
  /// What has come of the request and is not with the handler; nil for most calls, whose one message
  /// comes whole.
  var inbox: RequestInbox? { extras?.inbox }
  var refused: RefusedRequest? { extras?.refused }

  // MARK: For handlers and interceptors

  /// When the caller stops waiting; nil when it named no time.
  public var deadline: ContinuousClock.Instant? { callDeadline?.instant }

  /// The path that was asked for, `/package.Service/Method`.
  public var path: String { head.path }

  /// The method that was asked for: the path without a query, which holds the request in a GET.
  public var method: String { String(path.prefix { $0 != "?" }) }

  /// Which side sends more than one message.
  public var kind: MethodKind { resolved.kind }

  /// The text of the first field of that name in the call's head; without making all of `metadata` for it.
  public func field(_ name: StaticString) -> String? { head.fields.first(name) }

  /// The fields of the call's head, pseudo-header fields too.
  public var fields: HeaderFields { head.fields }

  /// Ends the call with an error, from anywhere, also while its handler runs, whose task is cancelled. Without
  /// effect once the call is over.
  public func end(_ error: RPCError) {
    if isOnExecutor { return fail(error) }
    // A task, not `run`: it comes to its end also when the executor has come to its own.
    Task(executorPreference: executor) { self.fail(error) }
  }

  /// The call's custom metadata.
  public var metadata: Metadata { Metadata(fields: head.fields) }

  /// How the call ended, if that was before its handler: the status that was sent (a deadline that passed,
  /// a request that broke a limit), or `cancelled` when the client went away. Nil while what the handler and
  /// its interceptors return or throw is still to become the status.
  ///
  /// What an interceptor that counts or logs outcomes looks at first: a handler that is cancelled knows
  /// nothing of the reason.
  public var outcome: RPCError? { extras?.outcome.withLock { $0 } }

  /// Adds metadata that goes out with the response's head. Without effect once that is sent.
  public func addInitialMetadata(_ metadata: Metadata) {
    makeExtras().metadata.withLock { $0.initial.append(contentsOf: metadata) }
  }

  /// Adds metadata that goes out with the status.
  public func addTrailingMetadata(_ metadata: Metadata) {
    makeExtras().metadata.withLock { $0.trailing.append(contentsOf: metadata) }
  }

  /// Sends the response's head now rather than with the first message.
  public func sendInitialMetadata() async {
    await onExecutor { call in
      if call.machine.messageWritten() == .sendHeadFirst {
        call.stream.sendHead(call.responseHead())
      }
    }
  }

  /// Compresses every response message from here on with what the client accepts; nothing happens
  /// when that is nothing. Call it before the first message is written.
  public func compressResponses() {
    guard compressingForm == nil else { return }
    if resolved.form.responseCompression != nil {
      // It compresses what is large enough; from here on everything.
      makeExtras().compressingForm = resolved.form
      return
    }
    // Connect's forms compress from the start with what the client takes.
    guard form.family != .connectUnary, form.family != .connectStreaming,
      let offered = head.fields.first("grpc-accept-encoding")
    else { return }
    let accepted = AcceptedEncodings(offered)
    guard let chosen = resolved.compressions.first(where: { accepted.contains($0.name) }) else {
      return
    }
    makeExtras().compressingForm = form.compressing(with: chosen)
  }

  /// Runs the body once if the call ends before its handler does: the client cancels, the deadline
  /// passes, the connection is lost. At once when that has happened; never when the handler has
  /// returned. A later body takes the place of an earlier one.
  ///
  /// What `withTaskCancellationHandler` does for a part of a handler, without taking a frame for as
  /// long as the handler waits: for methods on which many thousands wait. The body runs on the call's
  /// executor and must not block. The call keeps it until the handler returns.
  public func whenCancelled(_ body: @escaping @Sendable () -> Void) {
    if isOnExecutor { return tellOfCancellation(body) }
    // A task, not `run`: it comes to its end also when the executor has come to its own.
    Task(executorPreference: executor) { self.tellOfCancellation(body) }
  }

  private func tellOfCancellation(_ body: @escaping @Sendable () -> Void) {
    guard isHandled else { return }
    if machine.isOpen { makeExtras().cancellationHandler = body } else { body() }
  }
}
