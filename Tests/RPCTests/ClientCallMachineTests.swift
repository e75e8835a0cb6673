import HTTP2Codes
import Testing

@testable import RPC

@Suite struct ClientCallMachineTests {
  typealias Machine = ClientCallMachine

  static let head = HeaderFields([":status": "200", "content-type": "application/grpc"])
  static let ok = HeaderFields(["grpc-status": "0"])
  static let refused = StreamEnd.reset(.refusedStream)

  func machine(_ kind: MethodKind = .unary, starts: Bool = true) -> Machine {
    var machine = Machine(reader: ResponseReader(form: .grpc, kind: kind, limit: 1 << 20))
    if starts { machine.start() }
    return machine
  }

  /// A call whose stream is open and has got these chunks.
  func sent(_ chunks: [UInt8]..., kind: MethodKind = .unary) -> Machine {
    var machine = machine(kind)
    _ = machine.opened(0, replayed: 0)
    for chunk in chunks {
      _ = machine.send(chunk, isLast: chunk == chunks.last, isLong: kind.clientStreams)
    }
    return machine
  }

  func received(_ machine: inout Machine, _ bytes: [UInt8], isLast: Bool = false) -> Machine.Effect
  {
    machine.received(bytes.span, isLast: isLast, isLate: false)
  }

  @Test("A call opens, sends, is answered and ends with its status")
  func whole() {
    var machine = machine()
    #expect(machine.send([1], isLast: true, isLong: false) == .wait)
    #expect(machine.opened(0, replayed: 0) == .use)
    #expect(machine.state == .open)
    #expect(machine.send([1], isLast: true, isLong: false) == .send)
    #expect(machine.take() == .wait)
    #expect(machine.receivedHead(Self.head, isLast: false, isLate: false) == .wake)
    #expect(machine.isCommitted && machine.initial != nil)
    #expect(received(&machine, [7].enveloped()) == .wake)
    #expect(machine.take() == .message([7]))
    #expect(machine.receivedTrailers(Self.ok, isLate: false) == .finish)
    guard case .end(let end) = machine.take() else { return #expect(Bool(false), "no end") }
    #expect(end.code == .ok && machine.isOver)
    #expect(machine.closed(.complete, isLate: false) == .nothing)
  }

  @Test("Messages that have come are taken before the end is told")
  func messagesFirst() {
    var machine = sent([1], kind: .serverStreaming)
    _ = machine.receivedHead(Self.head, isLast: false, isLate: false)
    _ = received(&machine, [7].enveloped() + [8].enveloped())
    _ = machine.closed(
      .connectionLost(RPCError(.unavailable, "gone"), processed: true), isLate: false)
    #expect(machine.take() == .message([7]))
    #expect(machine.take() == .message([8]))
    #expect(machine.take() == .end(RPCError(.unavailable, "gone")))
  }

  @Test(
    "A call that the server has not worked on is sent once more, with what was sent",
    arguments: [
      refused, .connectionLost(RPCError(.unavailable, "GOAWAY"), processed: false),
    ])
  func again(_ end: StreamEnd) {
    var machine = sent([1], [2])
    #expect(machine.closed(end, isLate: false) == .sendAgain(1))
    #expect(machine.state == .opening && machine.streamNumber == 1)
    #expect(machine.opened(1, replayed: 0) == .replay([[1], [2]], isLast: true))
    #expect(machine.state == .opening)
    #expect(machine.opened(1, replayed: 2) == .use)
    // Not a third time.
    #expect(machine.closed(end, isLate: false) == .finish)
    #expect(machine.end?.code == .unavailable)
  }

  @Test("What is sent while the call is opened again waits for the new stream")
  func sendsWhileOpening() {
    var machine = sent([1], kind: .bidirectionalStreaming)
    _ = machine.closed(Self.refused, isLate: false)
    #expect(machine.send([2], isLast: false, isLong: true) == .wait)
    // The stream before is heard of too late.
    #expect(machine.opened(0, replayed: 0) == .drop)
    #expect(machine.openingFailed(0, RPCError(.unavailable, "x"), isLate: false) == .nothing)
    #expect(machine.openingFailed(1, RPCError(.unavailable, "x"), isLate: false) == .finish)
  }

  @Test("A call is not sent again once the server has begun to answer, nor when it was never begun")
  func notAgain() {
    var answered = sent([1])
    _ = answered.receivedHead(Self.head, isLast: false, isLate: false)
    #expect(answered.closed(Self.refused, isLate: false) == .finish)
    var never = machine(starts: false)
    #expect(never.closed(Self.refused, isLate: false) == .finish)
  }

  @Test("Of a long stream of requests nothing is kept, so it is not sent again")
  func longStream() {
    var machine = machine(.clientStreaming)
    _ = machine.opened(0, replayed: 0)
    let chunk = [UInt8](repeating: 0, count: Machine.replayBytes)
    #expect(machine.send(chunk, isLast: false, isLong: true) == .send)
    #expect(machine.mayBeSentAgain)
    #expect(machine.send([1], isLast: false, isLong: true) == .send)
    #expect(!machine.mayBeSentAgain)
    #expect(machine.closed(Self.refused, isLate: false) == .finish)
  }

  @Test("A head that comes before its stream is known leaves what the stream must still get")
  func earlyHead() {
    var machine = sent([1], [2])
    _ = machine.closed(Self.refused, isLate: false)
    #expect(machine.receivedHead(Self.head, isLast: false, isLate: false) == .wake)
    #expect(machine.opened(1, replayed: 0) == .replay([[1], [2]], isLast: true))
    #expect(machine.opened(1, replayed: 2) == .use)
  }

  @Test("An abort is told to the server, once")
  func abort() {
    var machine = sent([1])
    #expect(machine.aborted(RPCError(.cancelled, "x"), isLate: false) == .abort)
    #expect(machine.state == .ended(RPCError(.cancelled, "x")))
    #expect(machine.aborted(RPCError(.cancelled, "y"), isLate: false) == .nothing)
    #expect(machine.send([2], isLast: true, isLong: false) == .fail(RPCError(.cancelled, "x")))
    #expect(machine.opened(1, replayed: 0) == .reset)
  }

  @Test("An answer that cannot be read aborts the call")
  func unreadable() {
    var machine = sent([1])
    let other = HeaderFields([":status": "200", "content-type": "text/html"])
    #expect(machine.receivedHead(other, isLast: false, isLate: false) == .abort)
    var body = sent([1])
    _ = body.receivedHead(Self.head, isLast: false, isLate: false)
    #expect(received(&body, [1].enveloped(flags: 0x40)) == .abort)
    #expect(body.end?.code == .internalError)
  }

  @Test(
    "A cancellation after the deadline is the deadline's, and the deadline says what was waited for"
  )
  func late() {
    var machine = sent([1])
    #expect(machine.closed(.reset(.cancel), isLate: true) == .finish)
    #expect(machine.end?.code == .deadlineExceeded)
    var waiting = self.machine()
    waiting.stillWaiting(RPCError(.unavailable, "nobody is there"))
    #expect(waiting.deadlinePassed() == .abort)
    #expect(waiting.end?.message.hasSuffix("it waited for a connection: nobody is there") == true)
  }

  @Test("Credit goes back as long as little waits, and only once there is a stream")
  func credit() {
    var machine = sent([1], kind: .serverStreaming)
    _ = machine.receivedHead(Self.head, isLast: false, isLate: false)
    let large = [UInt8](repeating: 1, count: Machine.bufferBytes)
    _ = received(&machine, [1].enveloped())
    #expect(machine.takeCredit() == 6)
    #expect(machine.takeCredit() == 0)
    _ = received(&machine, large.enveloped())
    #expect(machine.takeCredit() == 0)
    #expect(machine.take() == .message([1]))
    #expect(machine.takeCredit() == 0)
    #expect(machine.take() == .message(large))
    #expect(machine.takeCredit() == large.count + 5)
  }

  @Test("Trailers-Only is no beginning of an answer")
  func trailersOnly() {
    var machine = sent([1])
    let fields = HeaderFields([
      ":status": "200", "content-type": "application/grpc", "grpc-status": "14",
    ])
    #expect(machine.receivedHead(fields, isLast: true, isLate: false) == .finish)
    #expect(!machine.isCommitted && machine.end?.code == .unavailable)
  }
}
