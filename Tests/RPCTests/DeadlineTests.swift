import HTTP2Codes
import Testing

@testable import RPC

/// Who ends a call first, at the moment its deadline passes.
@Suite struct DeadlineTests {
  private static func status(
    deadline: Duration?, _ end: (ClientCall) -> Void
  ) -> StatusCode? {
    let call = ClientCall(
      form: .grpc, kind: .unary, responseMessageBytes: 1 << 20,
      deadline: deadline.map { .now + $0 })
    end(call)
    return call.status?.code
  }

  @Test("A stream that the server cancels after the deadline has exceeded it")
  func serverCancels() {
    #expect(
      Self.status(deadline: .zero) { $0.streamClosed(.reset(.cancel)) } == .deadlineExceeded)
    #expect(
      Self.status(deadline: .seconds(60)) { $0.streamClosed(.reset(.cancel)) } == .cancelled)
    #expect(Self.status(deadline: nil) { $0.streamClosed(.reset(.cancel)) } == .cancelled)
  }

  @Test("A handler that was cancelled by the deadline and says so has exceeded it")
  func serverSaysCancelled() {
    let trailers = HeaderFields(["grpc-status": "1"])
    #expect(Self.status(deadline: .zero) { $0.receivedTrailers(trailers) } == .deadlineExceeded)
    #expect(Self.status(deadline: .seconds(60)) { $0.receivedTrailers(trailers) } == .cancelled)
  }

  @Test("A caller that cancels after the deadline has exceeded it")
  func callerCancels() {
    #expect(Self.status(deadline: .zero) { $0.cancel() } == .deadlineExceeded)
    #expect(Self.status(deadline: .seconds(60)) { $0.cancel() } == .cancelled)
  }

  @Test("Another end stays what it is after the deadline")
  func others() {
    #expect(
      Self.status(deadline: .zero) { $0.streamClosed(.reset(.refusedStream)) } == .unavailable)
    #expect(
      Self.status(deadline: .zero) { $0.receivedTrailers(HeaderFields(["grpc-status": "0"])) }
        == .ok)
  }
}
