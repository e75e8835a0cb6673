import ProtoCodec
import Schema
import Testing

@Suite("What Python's protobuf writes, takes and refuses")
struct VectorTests {
  @Test("There are vectors of every kind")
  func vectorsAreThere() {
    #expect(Vector.of("message").count > 150)
    for kind in ["message*", "binary", "json", "bad-binary", "bad-json"] {
      #expect(Vector.of(kind).count > 20, "\(kind)")
    }
  }

  @Test("Messages are read and written as Python does", arguments: Vector.of("message", "message*"))
  func messages(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) throws {
      let binary = vector.bytes(0)
      let message = try Root(serialized: binary)
      #expect(message.serialized().count == binary.count)
      if vector.kind == "message" { #expect(message.serialized() == binary) }
      #expect(try Root(serialized: message.serialized()).serializedCount == binary.count)

      let json = try JSONValue(parsing: vector.columns[1])
      let fromJSON = try Root(json: vector.columns[1], options: .vectors)
      let written = try message.json(.vectors)
      #expect(try sameJSON(JSONValue(parsing: written), json), "\(written)")
      #expect(try Root(json: written, options: .vectors).json(.vectors) == written)
      #expect(try fromJSON.json(.vectors) == written)
      // NaN equals nothing, itself included.
      if message == message, !vector.columns[1].contains("any") {
        #expect(fromJSON == message)
      }
    }
    try check(vector.type())
  }

  @Test("Unusual binary input means what it means to Python", arguments: Vector.of("binary"))
  func unusualBinary(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) throws {
      #expect(try Root(serialized: vector.bytes(0)).serialized() == vector.bytes(1))
    }
    try check(vector.type())
  }

  @Test("Unusual JSON means what it means to Python", arguments: Vector.of("json"))
  func unusualJSON(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) throws {
      let message = try Root(json: vector.columns[0], options: .vectors)
      #expect(message.serialized() == vector.bytes(1))
    }
    try check(vector.type())
  }

  @Test("Bytes that Python refuses are refused", arguments: Vector.of("bad-binary"))
  func badBinary(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) {
      let error = #expect(throws: DecodingError.self) { try Root(serialized: vector.bytes(0)) }
      #expect(error?.message.isEmpty == false)
    }
    check(try vector.type())
  }

  @Test("JSON that Python refuses is refused", arguments: Vector.of("bad-json"))
  func badJSON(_ vector: Vector) throws {
    func check<Root: Message>(_ type: Root.Type) {
      #expect(throws: JSONDecodingError.self) {
        try Root(json: vector.columns[0], options: .vectors)
      }
    }
    check(try vector.type())
  }
}

/// Equal but for the way in which numbers are written and the order of members.
private func sameJSON(_ left: JSONValue, _ right: JSONValue) throws -> Bool {
  switch (left, right) {
  case (.number(let left), .number(let right)):
    // A float has fewer digits here than in Python's double.
    let (left, right) = (left.double!, right.double!)
    return left == right || Float(left) == Float(right)
  case (.array(let left), .array(let right)):
    return try left.count == right.count && zip(left, right).allSatisfy(sameJSON)
  case (.object(let left), .object(let right)):
    return try left.count == right.count
      && left.members.allSatisfy { member in
        try right[member.key].map { try sameJSON(member.value, $0) } ?? false
      }
  default: return left == right
  }
}
