import Testing

@testable import HTTP2

@Suite struct StreamBodyTests {
  private struct Refused: Error {}

  private static func drain(_ stream: HTTP2Stream, by piece: Int) -> [UInt8] {
    var output: [UInt8] = []
    while stream.bufferedBytes > 0 {
      stream.takeBody(min(piece, stream.bufferedBytes), into: &output)
    }
    return output
  }

  @Test(
    "Pieces that are appended and pieces that are queued leave in order", arguments: [1, 7, 9000])
  func order(_ piece: Int) throws {
    let stream = HTTP2Stream()
    var expected: [UInt8] = []
    for i in 0..<3000 {
      let bytes = (0..<i % 23).map { UInt8(truncatingIfNeeded: $0 + i) }
      if i % 5 == 0 {
        stream.enqueue(bytes)
      } else {
        stream.extend { $0 += bytes }
      }
      expected += bytes
      if i == 1500 {
        // The chunk on its way may be added to.
        var output: [UInt8] = []
        stream.takeBody(100, into: &output)
        #expect(output == Array(expected.prefix(100)))
        expected.removeFirst(100)
      }
    }
    #expect(stream.bufferedBytes == expected.count)
    #expect(Self.drain(stream, by: piece) == expected)
  }

  @Test("What a writer that fails has appended does not go out")
  func failure() {
    let stream = HTTP2Stream()
    stream.extend { $0 += [1, 2] }
    #expect(throws: Refused.self) {
      try stream.extend { (buffer: inout [UInt8]) throws(Refused) in
        buffer += [3, 4]
        throw Refused()
      }
    }
    stream.extend { $0 += [5] }
    #expect(stream.bufferedBytes == 3)
    #expect(Self.drain(stream, by: 2) == [1, 2, 5])
  }
}
