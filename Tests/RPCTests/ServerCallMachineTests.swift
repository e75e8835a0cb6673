import Testing

@testable import RPC

@Suite struct ServerCallMachineTests {
  typealias Machine = ServerCallMachine

  @Test("A unary call starts its handler when its one message has come and the request ends")
  func unary() {
    var machine = Machine(kind: .unary)
    #expect(machine.messageReceived() == .deliver)
    #expect(machine.state == .open(.receiving(messages: 1), .notStarted))
    #expect(machine.requestEnded() == .startHandler)
    #expect(machine.state == .open(.complete(messages: 1), .notStarted))
    #expect(machine.ended() == .headAndTrailers)
    #expect(machine.state == .finished && !machine.isOpen)
  }

  @Test(
    "A call of one message is refused without one, and with two",
    arguments: [
      MethodKind.unary, .serverStreaming,
    ])
  func oneMessage(_ kind: MethodKind) {
    var missing = Machine(kind: kind)
    #expect(missing.requestEnded() == .refuseMissingMessage)
    #expect(missing.state == .open(.complete(messages: 0), .notStarted))
    var second = Machine(kind: kind)
    _ = second.messageReceived()
    #expect(second.messageReceived() == .refuseSecondMessage)
    // The driver ends the call with the refusal; the machine says that the head is missing.
    #expect(second.ended() == .headAndTrailers)
  }

  @Test(
    "A call that streams takes any number of messages, and its end ends the input",
    arguments: [
      MethodKind.clientStreaming, .bidirectionalStreaming,
    ])
  func streams(_ kind: MethodKind) {
    var machine = Machine(kind: kind)
    for _ in 0..<1000 { #expect(machine.messageReceived() == .deliver) }
    #expect(machine.state == .open(.receiving(messages: 2), .notStarted))
    #expect(machine.requestEnded() == .endInput)
    #expect(machine.messageReceived() == .ignore)
    #expect(machine.requestEnded() == .ignore)
  }

  @Test("The head goes out before the first message, once, and the status then needs no head")
  func response() {
    var machine = Machine(kind: .serverStreaming)
    #expect(machine.messageWritten() == .sendHeadFirst)
    #expect(machine.state == .open(.receiving(messages: 0), .streaming))
    #expect(machine.messageWritten() == .send)
    #expect(machine.ended() == .trailers)
    #expect(machine.messageWritten() == .discard)
    #expect(machine.ended() == .discard)
    #expect(machine.state == .finished)
  }

  @Test("A lost stream cancels the handler once, and what comes after it changes nothing")
  func lost() {
    var machine = Machine(kind: .bidirectionalStreaming)
    #expect(machine.streamLost() == .cancelHandler)
    #expect(machine.state == .abandoned && !machine.isOpen)
    #expect(machine.streamLost() == .nothing)
    #expect(machine.messageReceived() == .ignore)
    #expect(machine.requestEnded() == .ignore)
    #expect(machine.messageWritten() == .discard)
    #expect(machine.ended() == .discard)
    #expect(machine.state == .abandoned)
  }

  @Test("A stream that is lost after the status was sent is nobody's loss")
  func lostAfterStatus() {
    var machine = Machine(kind: .unary)
    _ = machine.ended()
    #expect(machine.streamLost() == .nothing)
    #expect(machine.state == .finished)
  }
}
