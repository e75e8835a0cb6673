import HTTP2Codes
import Synchronization

/// Joins clients to an HTTP service of the same process, with the semantics of a connection
/// (streams, flow control, cancellation) and without sockets.
public final class InProcessChannel: ClientChannel {
  private let service: any HTTPService
  private let peer: Peer

  public init(_ service: any HTTPService, peer: Peer = Peer(address: "in-process")) {
    self.service = service
    self.peer = peer
  }

  public func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream {
    var all = HeaderFields([":method": method, ":path": path])
    for i in 0..<fields.count { all.append(fields.name(i), fields.value(i)) }
    let head = HTTPRequestHead(fields: all, methodField: 0, pathField: 1, isComplete: isLast)
    let exchange = InProcessExchange(peer: peer, client: receiver)
    exchange.start(head, service)
    return InProcessClientStream(exchange)
  }
}

/// The client's end of an exchange: everything it does hops to the exchange's executor.
private final class InProcessClientStream: HTTPClientStream {
  let exchange: InProcessExchange

  init(_ exchange: InProcessExchange) { self.exchange = exchange }

  func send(_ bytes: [UInt8], isLast: Bool) {
    exchange.requestBytes.add(bytes.count, ordering: .relaxed)
    exchange.queue.run { self.exchange.receive(bytes, isLast: isLast) }
  }

  func reset(_ errorCode: HTTP2ErrorCode) {
    exchange.queue.run {
      self.exchange.close(server: errorCode, client: .reset(errorCode))
    }
  }

  func release(_ bytes: Int) { exchange.queue.run { self.exchange.clientReleased(bytes) } }

  var queuedBytes: Int { exchange.requestBytes.load(ordering: .relaxed) }
}

/// One exchange, with the server's end of it.
private final class InProcessExchange: HTTPServerStream, @unchecked Sendable {
  // @unchecked: everything mutable is touched on `queue` only, but for the atomic.
  let queue: InProcessExecutor
  let handlers: HandlerPool
  let peer: Peer
  /// Request bytes sent that the server has not yet taken.
  let requestBytes = Atomic(0)
  private let client: any HTTPResponseReceiver
  private var receiver: (any HTTPRequestReceiver)?
  private var responseBytes = 0
  private var closed = false

  init(peer: Peer, client: any HTTPResponseReceiver) {
    queue = InProcessExecutor()
    handlers = HandlerPool(executor: queue, workersKept: 0)
    self.peer = peer
    self.client = client
  }

  func start(_ head: HTTPRequestHead, _ service: any HTTPService) {
    queue.run {
      self.receiver = service.accept(head, on: self)
      self.handlers.run()
    }
  }

  func receive(_ bytes: [UInt8], isLast: Bool) {
    guard !closed else { return }
    if !bytes.isEmpty {
      receiver?.received(bytes.span, isLast: isLast)
    } else if isLast {
      receiver?.receivedEnd()
    }
    handlers.run()
  }

  func clientReleased(_ bytes: Int) {
    responseBytes -= bytes
    receiver?.streamWritable()
  }

  // MARK: HTTPServerStream

  var isOnExecutor: Bool { queue.isCurrent }

  var bufferedBytes: Int { responseBytes }

  func release(_ bytes: Int) {
    requestBytes.subtract(bytes, ordering: .relaxed)
    client.streamWritable()
  }

  func holds(_ change: Int) -> Bool { true }

  func reset(_ errorCode: HTTP2ErrorCode) {
    close(server: errorCode, client: .reset(errorCode))
  }

  func respond(_ head: ResponseHead, body: consuming [UInt8], trailers: ResponseTrailers) {
    if body.isEmpty, case .none = trailers {
      guard !closed else { return }
      client.receivedHead(Self.fields(head), isLast: true)
      close(server: nil, client: .complete)
      return
    }
    sendHead(head)
    sendData(body)
    finish(trailers)
  }

  func sendHead(_ head: ResponseHead) {
    guard !closed else { return }
    client.receivedHead(Self.fields(head), isLast: false)
  }

  func sendData(_ bytes: consuming [UInt8]) {
    guard !closed, !bytes.isEmpty else { return }
    responseBytes += bytes.count
    client.received(bytes.span, isLast: false)
  }

  func sendData(_ write: (inout [UInt8]) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    try write(&bytes)
    sendData(bytes)
  }

  func finish(_ trailers: ResponseTrailers) {
    guard !closed else { return }
    switch trailers {
    case .grpcOK: client.receivedTrailers(HeaderFields(["grpc-status": "0"]))
    case .fields(let fields): client.receivedTrailers(fields)
    case .none: break
    }
    close(server: nil, client: .complete)
  }

  func close(server errorCode: HTTP2ErrorCode?, client end: StreamEnd) {
    guard !closed else { return }
    closed = true
    let receiver = self.receiver
    self.receiver = nil
    receiver?.streamClosed(errorCode: errorCode)
    client.streamClosed(end)
  }

  private static func fields(_ head: ResponseHead) -> HeaderFields {
    switch head {
    case .grpc: HeaderFields([":status": "200", "content-type": "application/grpc"])
    case .fields(let fields): fields
    }
  }
}

/// A serial executor on the concurrency runtime's own threads.
private final class InProcessExecutor: CallExecutor {
  private enum Work: Sendable {
    case job(UnownedJob)
    case closure(@Sendable () -> Void)
  }

  private struct State {
    var work: [Work] = []
    var isDraining = false
    var timers: [TimerID: Task<Void, Never>] = [:]
    var nextTimer: UInt64 = 0
  }

  private let state = Mutex(State())
  /// Unknown without thread identity; answering no costs a hop and nothing else.
  var isCurrent: Bool { false }
  /// The caller is a thread of the runtime, on which any number of other jobs come in.
  var runsAtOnce: Bool { false }

  func runAtOnce(_ enqueue: () -> Void) { enqueue() }

  func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

  func run(_ work: @escaping @Sendable () -> Void) { add(.closure(work)) }

  private func add(_ work: Work) {
    let mustStart = state.withLock { state in
      state.work.append(work)
      defer { state.isDraining = true }
      return !state.isDraining
    }
    if mustStart { Task.detached { self.drain() } }
  }

  private func drain() {
    while true {
      let batch = state.withLock { state -> [Work] in
        defer { state.work = [] }
        if state.work.isEmpty { state.isDraining = false }
        return state.work
      }
      if batch.isEmpty { return }
      for work in batch {
        switch work {
        case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
        case .closure(let closure): closure()
        }
      }
    }
  }

  func schedule(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> TimerID {
    let id = state.withLock { state in
      state.nextTimer += 1
      return TimerID(state.nextTimer)
    }
    let task = Task {
      guard (try? await Task.sleep(for: delay)) != nil else { return }
      self.run(work)
    }
    state.withLock { $0.timers[id] = task }
    return id
  }

  func cancel(_ timer: TimerID) {
    state.withLock { $0.timers.removeValue(forKey: timer) }?.cancel()
  }
}
