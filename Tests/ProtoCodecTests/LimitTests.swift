import ProtoCodec
import Testing

@Suite("Limits")
struct LimitTests {
  private func nested(_ levels: Int) -> [UInt8] {
    (0..<levels).reduce(into: []) { bytes, _ in bytes = block(2, bytes) }
  }

  private func code(_ body: () throws -> Void) -> DecodingError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? DecodingError)?.code
    }
  }

  @Test("A hundred levels of messages are read, one more is refused")
  func depth() throws {
    #expect(code { _ = try Node(serialized: nested(100)) } == nil)
    #expect(code { _ = try Node(serialized: nested(101)) } == .tooDeep)
    #expect(
      code {
        _ = try Node(serialized: nested(3), limits: DecodingLimits(maximumDepth: 2))
      } == .tooDeep)
    // Through lists, maps and oneofs too.
    for number: UInt8 in [3, 4] {
      let deep = (0..<5000).reduce(into: [UInt8]()) { bytes, _ in
        bytes = number == 4 ? block(4, block(2, bytes)) : block(number, bytes)
      }
      #expect(code { _ = try Node(serialized: deep) } == .tooDeep)
    }
  }

  @Test("Groups are skipped a hundred levels deep")
  func groups() throws {
    let open: [UInt8] = hex("9b06")
    let close: [UInt8] = hex("9c06")
    func groups(_ levels: Int) -> [UInt8] {
      Array(repeatElement(open, count: levels).joined())
        + Array(repeatElement(close, count: levels).joined())
    }
    #expect(try Scalars(serialized: groups(100)).serialized() == groups(100))
    #expect(code { _ = try Scalars(serialized: groups(101)) } == .tooDeep)
    #expect(code { _ = try Scalars(serialized: groups(1_000_000)) } == .tooDeep)
  }

  @Test("Input beyond the limit is not looked at")
  func size() {
    let limits = DecodingLimits(maximumBytes: 3)
    #expect(code { _ = try Scalars(serialized: hex("720161"), limits: limits) } == nil)
    #expect(code { _ = try Scalars(serialized: hex("72026161"), limits: limits) } == .tooLarge)
  }

  @Test("Small input does not become a large value")
  func memory() {
    let limits = DecodingLimits(maximumMemory: 1 << 20)
    let messages = Array(repeatElement(hex("8a0100"), count: 100_000).joined())
    #expect(code { _ = try Lists(serialized: messages, limits: limits) } == .tooManyElements)
    let strings = Array(repeatElement(hex("7200"), count: 100_000).joined())
    #expect(code { _ = try Lists(serialized: strings, limits: limits) } == .tooManyElements)
    let entries = Array(repeatElement(hex("0a00"), count: 100_000).joined())
    #expect(code { _ = try Maps(serialized: entries, limits: limits) } == .tooManyElements)
    let packed = block(4, [UInt8](repeating: 1, count: 1 << 20))
    #expect(code { _ = try Lists(serialized: packed, limits: limits) } == .tooManyElements)
    let unknown = block(15, [UInt8](repeating: 1, count: 2 << 20))
    #expect(code { _ = try OldNode(serialized: unknown, limits: limits) } == .tooManyElements)
    #expect(code { _ = try OldNode(serialized: unknown) } == nil)
  }

  @Test("A length of any size reserves nothing before the bytes are there")
  func hugeLengths() {
    for length in ["ffffffff07", "ffffffffffffffff7f", "ffffffffffffffffff01"] {
      for tag in ["72", "7a", "0a", "8a01", "1a", "9a06"] {
        #expect(code { _ = try Lists(serialized: hex(tag + length)) } == .truncated)
      }
    }
  }
}
