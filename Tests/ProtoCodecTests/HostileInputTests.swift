import ProtoCodec
import Schema
import TestSupport
import Testing

/// Either refuses the bytes, or reads something that it reads again from what it writes.
func expectSound<Root: Message>(_ type: Root.Type, _ bytes: [UInt8]) {
  guard let message = try? Root(serialized: bytes) else { return }
  let written = message.serialized()
  do {
    #expect(try Root(serialized: written).serialized().count == written.count)
  } catch {
    Issue.record("\(type) does not read what it wrote: \(error)")
  }
}

@Suite("Hostile input")
struct HostileInputTests {
  @Test("Every message cut off at every byte", arguments: Vector.of("message", "binary"))
  func truncation(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) {
      let bytes = vector.bytes(0)
      for count in bytes.indices { expectSound(type, Array(bytes[..<count])) }
    }
    check(try vector.type())
  }

  @Test("Every message with some bytes changed", arguments: Vector.of("message", "binary"))
  func mutation(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) {
      var dice = SeededGenerator(seed: UInt64(vector.line))
      let bytes = vector.bytes(0)
      guard !bytes.isEmpty else { return }
      for _ in 0..<60 {
        var changed = bytes
        for _ in 0..<Int.random(in: 1...4, using: &dice) {
          let position = Int.random(in: changed.indices, using: &dice)
          switch Int.random(in: 0..<4, using: &dice) {
          case 0: changed[position] = UInt8.random(in: 0...255, using: &dice)
          case 1: changed[position] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
          case 2: changed.insert(UInt8.random(in: 0...255, using: &dice), at: position)
          default: if changed.count > 1 { changed.remove(at: position) }
          }
        }
        expectSound(type, changed)
      }
    }
    check(try vector.type())
  }

  @Test("Noise", arguments: 0..<40)
  func noise(_ seed: Int) {
    var dice = SeededGenerator(seed: UInt64(seed))
    for _ in 0..<300 {
      let count = Int.random(in: 0..<40, using: &dice)
      // Small bytes make more tags that mean something.
      let top: UInt8 = Bool.random(using: &dice) ? 255 : 63
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...top, using: &dice) }
      expectSound(Scalars.self, bytes)
      expectSound(Optionals.self, bytes)
      expectSound(Lists.self, bytes)
      expectSound(Maps.self, bytes)
      expectSound(Choices.self, bytes)
      expectSound(Node.self, bytes)
      expectSound(ProtoStruct.self, bytes)
    }
  }

  @Test("JSON cut off at every byte", arguments: Vector.of("message", "json"))
  func truncatedJSON(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) {
      let text = Array(vector.columns[vector.kind == "json" ? 0 : 1].utf8)
      for count in text.indices {
        let cut = Array(text[..<count])
        // A number cut short is a number; everything else is no longer whole.
        guard let message = try? Root(json: cut, options: .vectors) else { continue }
        #expect(text.first != UInt8(ascii: "{"), "\(String(decoding: cut, as: UTF8.self))")
        #expect((try? message.json(.vectors)) != nil)
      }
    }
    check(try vector.type())
  }

  @Test("JSON noise", arguments: 0..<20)
  func jsonNoise(_ seed: Int) {
    var dice = SeededGenerator(seed: UInt64(seed))
    let parts = [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u00e4", "\\ud83d", "1", "-", "0", "e5", ".",
      "null",
      "true", "\"name\"", "\"child\"", "\"children\"", "\"byName\"", "\"numbers\"", "\"@custom\"",
      " ", "ä",
      "\u{0}", "1e999999999999999999", "{\"name\":\"a\"}",
    ]
    for _ in 0..<1000 {
      let count = Int.random(in: 0..<12, using: &dice)
      let text = (0..<count).map { _ in parts.randomElement(using: &dice)! }.joined()
      if let node = try? Node(json: text) {
        #expect((try? Node(json: node.json())) == node)
      }
      if let value = try? JSONValue(parsing: text) {
        #expect((try? JSONValue(parsing: value.text())) == value)
      }
    }
  }
}
