import TestSupport
import Testing

@testable import HTTP2

/// Finding the heads of frames in bytes that come in pieces.
@Suite struct FrameWatchTests {
  private struct Seen: Equatable {
    var type: UInt8
    var flags: UInt8
    var stream: Int32
    var length: Int
  }

  private static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 1, payload: Int = 0
  ) -> [UInt8] {
    [
      UInt8(payload >> 16), UInt8(payload >> 8 & 255), UInt8(payload & 255), type, flags,
      UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
      UInt8(stream & 255),
    ] + [UInt8](repeating: 0xff, count: payload)
  }

  /// The heads that are found in one piece, and where the piece was left.
  private static func heads(_ watch: inout FrameWatch, _ piece: [UInt8]) -> [Seen] {
    var seen: [Seen] = []
    piece.withUnsafeBufferPointer { bytes in
      var position = 0
      while let head = watch.next(bytes, &position) {
        seen.append(
          Seen(type: head.type, flags: head.flags, stream: head.stream, length: head.length))
      }
      #expect(position == bytes.count)
    }
    return seen
  }

  @Test("Heads are found behind the preface, whatever pieces they come in")
  func pieces() {
    let bytes =
      [UInt8](repeating: 0x50, count: 24) + Self.frame(4) + Self.frame(1, flags: 5, payload: 300)
      + Self.frame(0, flags: 1, stream: 0x8000_0003, payload: 1) + Self.frame(6, payload: 8)
    let expected = [
      Seen(type: 4, flags: 0, stream: 1, length: 0),
      Seen(type: 1, flags: 5, stream: 1, length: 300),
      // The highest bit of a stream's number is reserved.
      Seen(type: 0, flags: 1, stream: 3, length: 1), Seen(type: 6, flags: 0, stream: 1, length: 8),
    ]
    for size in 1...40 {
      var watch = FrameWatch(prefaceBytes: 24)
      var seen: [Seen] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        seen += Self.heads(&watch, Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(seen == expected, "in pieces of \(size)")
    }
  }

  @Test("Random frames are found in random pieces")
  func random() {
    let seed = RandomSeed()
    var generator = seed.generator
    for _ in 0..<50 {
      var bytes: [UInt8] = []
      var expected: [Seen] = []
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        let length = Int.random(in: 0...40, using: &generator)
        let type = UInt8.random(in: 0...12, using: &generator)
        let stream = UInt32.random(in: 0...UInt32(Int32.max), using: &generator)
        expected.append(Seen(type: type, flags: 3, stream: Int32(stream), length: length))
        bytes += Self.frame(type, flags: 3, stream: stream, payload: length)
      }
      var watch = FrameWatch(prefaceBytes: 0)
      var seen: [Seen] = []
      while !bytes.isEmpty {
        let piece = bytes.prefix(Int.random(in: 1...30, using: &generator))
        seen += Self.heads(&watch, Array(piece))
        bytes.removeFirst(piece.count)
      }
      #expect(seen == expected, "\(seed)")
    }
  }

  @Test("A header block counts as begun until its payload has come")
  func insideHead() {
    var watch = FrameWatch(prefaceBytes: 0)
    let headers = Self.frame(1, payload: 4)
    _ = Self.heads(&watch, Array(headers.prefix(9)))
    #expect(watch.isInsideHead)
    _ = Self.heads(&watch, Array(headers[9..<12]))
    #expect(watch.isInsideHead)
    _ = Self.heads(&watch, Array(headers.suffix(1)))
    #expect(!watch.isInsideHead)
    _ = Self.heads(&watch, Array(Self.frame(0, payload: 4).prefix(10)))
    #expect(!watch.isInsideHead)
  }
}
