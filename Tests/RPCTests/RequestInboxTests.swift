import Testing

@testable import RPC

@Suite struct RequestInboxTests {
  @Test("Messages that wait count for something even when they are empty")
  func emptyMessages() {
    let inbox = RequestInbox(RequestReader(form: .plain, limit: 100))
    for _ in 0..<1000 { inbox.append(RequestMessage(bytes: [])) }
    #expect(inbox.heldBytes >= 32_000)
    while inbox.take() != nil {}
    #expect(inbox.heldBytes == 0)
  }

  @Test("Messages come out in the order they went in, without their prefix")
  func order() {
    let inbox = RequestInbox(RequestReader(form: .plain, limit: 100))
    for i in 0..<50 {
      inbox.append(RequestMessage(bytes: [9, 9, UInt8(i)], start: 2))
      if i % 3 == 0 { #expect(inbox.take()?.bytes.last == UInt8(i / 3)) }
    }
    #expect(inbox.take()?.count == 1)
  }
}
