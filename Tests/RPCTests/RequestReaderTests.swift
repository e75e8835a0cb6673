import Encodings
import RPCTransport
import Testing

@testable import RPC

@Suite struct RequestReaderTests {
  static func form(
    _ family: CallForm.Family, compression: (any MessageCompression)? = nil
  ) -> CallForm {
    CallForm(family, contentType: "x", requestCompression: compression)
  }

  /// The messages of a request that comes in pieces of that size, and the one at its end.
  func read(
    _ form: CallForm, _ bytes: [UInt8], pieces: Int = .max, limit: Int = 100
  ) throws(RPCError) -> [RequestMessage] {
    var reader = RequestReader(form: form, limit: limit)
    var messages: [RequestMessage] = []
    var at = 0
    while at < bytes.count {
      let end = min(bytes.count, pieces == .max ? .max : at + pieces)
      try reader.receive(bytes.span.extracting(at..<end)) { messages.append($0) }
      at = end
    }
    if let last = try reader.end() { messages.append(last) }
    return messages
  }

  func payloads(_ messages: [RequestMessage]) -> [[UInt8]] {
    messages.map { Array($0.bytes[$0.start...]) }
  }

  @Test("Messages come out whole, whatever pieces they come in", arguments: [1, 2, 3, 7, .max])
  func pieces(_ size: Int) throws {
    let bytes =
      [1, 2, 3].enveloped() + [].enveloped() + [UInt8](repeating: 9, count: 50).enveloped()
    for family in [CallForm.Family.grpc, .grpcWeb, .connectStreaming] {
      let messages = try read(Self.form(family), bytes, pieces: size)
      #expect(payloads(messages) == [[1, 2, 3], [], [UInt8](repeating: 9, count: 50)])
    }
    let text = Array(Base64.encode(bytes).utf8)
    #expect(try read(Self.form(.grpcWebText), text, pieces: size).count == 3)
  }

  @Test("The body of a Connect unary request is its message, also when it is empty")
  func connectUnary() throws {
    #expect(payloads(try read(Self.form(.connectUnary), [1, 2, 3], pieces: 2)) == [[1, 2, 3]])
    #expect(payloads(try read(Self.form(.connectUnary), [])) == [[]])
  }

  @Test("A compressed message comes out as it was, and says that it was compressed")
  func compressed() throws {
    let gzip = ZlibCompression.gzip
    let packed = try gzip.compress([7, 7, 7])
    let form = Self.form(.grpc, compression: gzip)
    for size in [2, Int.max] {
      let messages = try read(form, packed.enveloped(flags: 1) + [8].enveloped(), pieces: size)
      #expect(payloads(messages) == [[7, 7, 7], [8]])
      #expect(messages.map(\.wasCompressed) == [true, false])
    }
    let whole = try read(Self.form(.connectUnary, compression: gzip), packed)
    #expect(payloads(whole) == [[7, 7, 7]] && whole[0].wasCompressed)
  }

  @Test("A request that breaks a rule is refused with the code of its protocol")
  func refused() {
    func code(_ family: CallForm.Family, _ bytes: [UInt8], limit: Int = 100) -> StatusCode? {
      do throws(RPCError) {
        _ = try read(Self.form(family), bytes, limit: limit)
        return nil
      } catch { return error.code }
    }
    #expect(code(.grpc, Array([1, 2].enveloped().dropLast())) == .internalError)
    #expect(code(.grpcWeb, Array([1, 2].enveloped().dropLast())) == .invalidArgument)
    #expect(code(.grpcWebText, Array("AAAA!".utf8)) == .invalidArgument)
    #expect(code(.grpcWebText, Array("AA!A".utf8)) == .internalError)
    #expect(code(.grpc, [1].enveloped(flags: 1)) == .internalError)
    #expect(code(.grpc, [1].enveloped(flags: 4)) == .internalError)
    #expect(code(.grpcWeb, [1].enveloped(flags: 0x80)) == .internalError)
    #expect(code(.connectStreaming, [1].enveloped(flags: 2)) == .invalidArgument)
    #expect(code(.grpc, [1, 2, 3].enveloped(), limit: 2) == .resourceExhausted)
    #expect(code(.connectUnary, [1, 2, 3], limit: 2) == .resourceExhausted)
  }

  @Test("What is kept of a request is told, and is nothing between messages")
  func held() throws {
    var reader = RequestReader(form: Self.form(.grpc), limit: 100)
    let bytes = [1, 2, 3, 4].enveloped()
    try reader.receive(bytes.span.extracting(0..<7)) { _ in }
    #expect(reader.heldBytes == 7)
    try reader.receive(bytes.span.extracting(7..<9)) { _ in }
    #expect(reader.heldBytes == 0)
    var unary = RequestReader(form: Self.form(.connectUnary), limit: 100)
    try unary.receive(bytes.span) { _ in }
    #expect(unary.heldBytes == 9)
    _ = try unary.end()
    #expect(unary.heldBytes == 0)
  }
}
