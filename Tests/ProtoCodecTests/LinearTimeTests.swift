import Glibc
import ProtoCodec
import Schema
import Testing

/// Input that costs more than its size when an implementation copies what it has at each step. The
/// work is measured in processor time of this thread, for a size and for sixteen times that size: it
/// may grow by that factor and some, not by its square.
@Suite("Work grows with the size of the input", .serialized)
struct LinearTimeTests {
  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    var best = Double.infinity
    for _ in 0..<3 {
      let start = now()
      try body()
      best = min(best, now() - start)
    }
    return best
  }

  private func expectLinear(
    _ size: Int, _ make: (Int) -> [UInt8], _ read: ([UInt8]) throws -> Void
  ) throws {
    let small = make(size)
    let large = make(16 * size)
    let smallTime = try seconds { try read(small) }
    let largeTime = try seconds { try read(large) }
    // The square would be 256.
    #expect(largeTime < 80 * max(smallTime, 20e-6), "\(smallTime) s, \(largeTime) s")
  }

  private func repeated(_ bytes: [UInt8]) -> (Int) -> [UInt8] {
    { count in Array(repeatElement(bytes, count: count).joined()) }
  }

  @Test("Unknown fields between known ones")
  func unknownFields() throws {
    try expectLinear(2000, repeated(hex("a00601 1801"))) { _ = try Scalars(serialized: $0) }
  }

  @Test("List elements between other fields")
  func scatteredLists() throws {
    try expectLinear(2000, repeated(hex("1801 2001 7201 61 8a0100"))) {
      _ = try Lists(serialized: $0)
    }
  }

  @Test("A message that is merged with again and again")
  func merging() throws {
    // One number for a list within the same sub-message, held in an Optional, a box, a oneof.
    try expectLinear(2000, repeated(block(2, hex("3201 01")))) { _ = try Node(serialized: $0) }
    try expectLinear(2000, repeated(hex("9a01 03 3201 01"))) { _ = try Choices(serialized: $0) }
    try expectLinear(2000, repeated(block(2, block(2, hex("3201 01"))))) {
      _ = try Node(serialized: $0)
    }
  }

  @Test("A value that is replaced again and again")
  func replacing() throws {
    let text = block(1, [UInt8](repeating: 97, count: 40))
    try expectLinear(2000, repeated(text)) { _ = try Node(serialized: $0) }
  }

  @Test("Many keys of a map")
  func maps() throws {
    func entries(_ count: Int) -> [UInt8] {
      var maps = Maps()
      for number in 0..<count { maps.stringString["key\(number)"] = "" }
      return maps.serialized()
    }
    try expectLinear(500, entries) { _ = try Maps(serialized: $0) }
  }

  @Test("Lengths that promise a long run of elements")
  func runs() throws {
    // Each run of the list is short and stands before another field.
    try expectLinear(2000, repeated(hex("1a00 1a00 0a00"))) { _ = try Node(serialized: $0) }
  }

  @Test("JSON objects with many members, long numbers, long strings of escapes")
  func json() throws {
    func object(_ count: Int) -> [UInt8] {
      Array("{\((0..<count).map { "\"k\($0)\":1" }.joined(separator: ","))}".utf8)
    }
    try expectLinear(500, object) { _ = try JSONValue(parsing: $0) }
    try expectLinear(500, object) { _ = try ProtoStruct(json: $0) }
    func digits(_ count: Int) -> [UInt8] {
      Array("{\"int64Value\": 1.\(String(repeating: "0", count: count))}".utf8)
    }
    try expectLinear(5000, digits) { _ = try Scalars(json: $0) }
    func escapes(_ count: Int) -> [UInt8] {
      Array("\"\(String(repeating: "\\u00e4", count: count))\"".utf8)
    }
    try expectLinear(2000, escapes) { _ = try JSONValue(parsing: $0) }
  }
}
