import TestSupport
import Testing

@testable import Encodings

@Suite("Fields of protobuf without a codec")
struct FieldCursorTests {
  private func fields(_ bytes: [UInt8]) -> [FieldCursor.Field] {
    var cursor = FieldCursor(bytes[...])
    var fields: [FieldCursor.Field] = []
    while let field = cursor.next() { fields.append(field) }
    #expect(cursor.next() == nil)
    return fields
  }

  @Test("What is written is read, at every length of a varint")
  func round() {
    for shift in UInt64(0)..<64 {
      for value in [1 << shift, (1 << shift) - 1, ~0 >> shift] as [UInt64] {
        var bytes: [UInt8] = []
        FieldWriter.append(1, varint: value, to: &bytes)
        FieldWriter.append(536_870_911, varint: value, to: &bytes)
        #expect(
          fields(bytes) == [
            .init(number: 1, content: .varint(value)),
            .init(number: 536_870_911, content: .varint(value)),
          ])
      }
    }
    for count in Array(0...300) + [16_383, 16_384] {
      let content = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
      var bytes: [UInt8] = []
      FieldWriter.append(2, content, to: &bytes)
      FieldWriter.append(16, content, to: &bytes)
      #expect(fields(bytes).map(\.number) == [2, 16])
      #expect(fields(bytes).allSatisfy { $0.bytes == content[...] })
    }
  }

  @Test("The bytes are those of the format's description")
  func vectors() {
    var bytes: [UInt8] = []
    FieldWriter.append(1, varint: 150, to: &bytes)
    #expect(bytes == [0x08, 0x96, 0x01])
    bytes = []
    FieldWriter.append(2, Array("testing".utf8), to: &bytes)
    #expect(bytes == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
    #expect(
      fields([0x0D, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8]) == [
        .init(number: 1, content: .fixed32(0x0403_0201)),
        .init(number: 2, content: .fixed64(0x0807_0605_0403_0201)),
      ])
    #expect(fields([]) == [])
  }

  @Test("A varint of ten bytes loses what is beyond its 64th bit, and one of eleven is a fault")
  func longVarints() {
    let nines = [UInt8](repeating: 0xFF, count: 9)
    #expect(fields([0x08] + nines + [0x01]) == [.init(number: 1, content: .varint(.max))])
    #expect(fields([0x08] + nines + [0x7F]) == [.init(number: 1, content: .varint(.max))])
    #expect(fields([0x08] + nines + [0x81, 0x00]) == [])
    #expect(fields([0x08, 0x80, 0x00]) == [.init(number: 1, content: .varint(0))])
  }

  @Test(
    "A fault ends the fields, and those before it stand",
    arguments: [
      [0x80], [0x08], [0x08, 0x80], [0x12], [0x12, 2, 0],
      [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
      [0x0D, 1, 2, 3], [0x09, 1, 2, 3, 4, 5, 6, 7], [0x0B], [0x0C], [0x0E], [0x0F], [0x00, 0x01],
      [0x02, 0],
      [0x80, 0x80, 0x80, 0x80, 0x10, 0x00],
    ] as [[UInt8]])
  func faults(tail: [UInt8]) {
    let good: [UInt8] = [0x08, 1]
    #expect(fields(good + tail) == [.init(number: 1, content: .varint(1))])
  }

  @Test("Whatever a peer sends, reading ends, within the message")
  func anything() {
    let seed = RandomSeed()
    var generator = seed.generator
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      let read = fields(bytes)
      #expect(read.count <= bytes.count / 2, "\(seed)")
      #expect(read.reduce(0) { $0 + ($1.bytes?.count ?? 0) } <= bytes.count, "\(seed)")
    }
  }
}
