import Testing

@testable import HTTP2

@Suite struct HeaderBlockTests {
  typealias Fields = KeyValuePairs<String, String>

  /// Puts the blocks together one after the other.
  static func blocks(_ all: [Fields], limit: Int = 1 << 16) -> [HeaderBlock] {
    var assembly = HeaderAssembly(limit: limit)
    return all.map { fields in
      for (name, value) in fields {
        Array(name.utf8).withUnsafeBufferPointer { name in
          Array(value.utf8).withUnsafeBufferPointer { value in assembly.append(name, value) }
        }
      }
      return assembly.take { _ in }
    }
  }

  static let request: Fields = [":method": "POST", ":path": "/a/b", "te": "trailers", "x": ""]

  @Test("A block holds its fields in order and knows its method and path")
  func fields() {
    let block = Self.blocks([Self.request])[0]
    #expect(
      SessionPair.lines(block) == [":method=POST", ":path=/a/b", "te=trailers", "x="])
    #expect(block.methodField == 0 && block.pathField == 1 && !block.isInformational)
    let response = Self.blocks([[":status": "100", "a": "b"]])[0]
    #expect(response.methodField == -1 && response.pathField == -1 && response.isInformational)
  }

  @Test("Requests that are equal byte for byte share a block, and only they")
  func shared() {
    // The same bytes, cut into fields in another way, are another block.
    let shifted: Fields = [":method": "POST", ":path": "/a/bt", "e": "trailers", "x": ""]
    let other: Fields = [":method": "POST", ":path": "/a/c", "te": "trailers", "x": ""]
    let blocks = Self.blocks([Self.request, shifted, other, Self.request, shifted, other])
    for i in 0..<3 {
      #expect(blocks[i] === blocks[i + 3])
      #expect(SessionPair.lines(blocks[i]) == SessionPair.lines(blocks[i + 3]))
      for j in 0..<i { #expect(blocks[i] !== blocks[j]) }
    }
  }

  @Test("Of many different requests the last few are remembered, of large ones none")
  func bounded() {
    let many = (0..<20).map { n -> Fields in [":method": "POST", ":path": "/\(n)"] }
    let blocks = Self.blocks(many + many.suffix(4) + [many[0]])
    for i in 0..<4 { #expect(blocks[16 + i] === blocks[20 + i]) }
    #expect(blocks[24] !== blocks[0])
    let large: Fields = [":method": "POST", "x": String(repeating: "y", count: 2000)]
    let twice = Self.blocks([large, large])
    #expect(twice[0] !== twice[1])
    #expect(twice[0].bytes == twice[1].bytes && twice[0].ends == twice[1].ends)
  }

  @Test("A block that takes much room is followed by one that is whole")
  func shrinks() {
    let large: Fields = ["x": String(repeating: "y", count: 30_000)]
    let blocks = Self.blocks([Self.request, large, Self.request])
    #expect(SessionPair.lines(blocks[1])[0].utf8.count == 30_002)
    #expect(blocks[0] === blocks[2])
  }

  @Test("Whatever block follows whatever other, each is as if it came alone")
  func anyOrder() {
    let all: [Fields] = [
      Self.request, [":method": "POST"], [":method": "POST", ":path": "/a/b"],
      [":method": "POST", ":path": "/a/b", "te": "trailers", "x": "", "y": "z"],
      [":method": "POST", ":path": "/a/b", "te": "trailerz", "x": ""],
      [":method": "POSS", ":path": "/a/b", "te": "trailers", "x": ""],
      [":path": "/a/b", ":method": "POST"], [":path": "/a/b", "x": "y"],
      [":status": "200", "a": "b"], [":status": "100"], [:], ["grpc-status": "0"], ["": "x"],
      [":method": "POST", ":path": "/a/b", "t": "etrailers", "x": ""],
      [":method": "GET", "x": String(repeating: "y", count: 5000)],
    ]
    for first in all {
      for second in all {
        for (block, fields) in zip(
          Self.blocks([first, second, second, first]), [first, second, second, first])
        {
          let alone = Self.blocks([fields])[0]
          #expect(block.bytes == alone.bytes && block.ends == alone.ends)
          #expect(block.methodField == alone.methodField && block.pathField == alone.pathField)
          #expect(block.isInformational == alone.isInformational)
        }
      }
    }
  }

  @Test("A block that begins as the one before and then grows too large is too large")
  func growsTooLarge() {
    var assembly = HeaderAssembly(limit: 120)
    func append(_ name: String, _ value: String) {
      Array(name.utf8).withUnsafeBufferPointer { name in
        Array(value.utf8).withUnsafeBufferPointer { value in assembly.append(name, value) }
      }
    }
    for _ in 0..<2 {
      append(":method", "POST")
      append(":path", "/")
      var isTooLarge = assembly.isTooLarge
      #expect(!isTooLarge)
      _ = assembly.take { _ in }
      append(":method", "POST")
      append(":path", "/")
      append("x", "y")
      isTooLarge = assembly.isTooLarge
      #expect(!isTooLarge)
      append("y", "z")
      isTooLarge = assembly.isTooLarge
      #expect(isTooLarge)
      assembly.reset()
    }
  }
}
