/// Methods by path, found from the bytes of `:path` without making a `String`.
struct RouteTable: Sendable {
  private var slots: [Slot?] = Array(repeating: nil, count: 16)
  private var count = 0

  private struct Slot: Sendable {
    var hash: UInt64
    var path: [UInt8]
    var handler: any MethodHandler
  }

  /// Adds a method; one of the same path is replaced.
  mutating func insert(_ handler: any MethodHandler) {
    if (count + 1) * 2 > slots.count {
      let old = slots
      slots = Array(repeating: nil, count: old.count * 2)
      for slot in old { if let slot { place(slot) } }
    }
    let path = Array(handler.path.utf8)
    place(Slot(hash: Self.hash(path.span), path: path, handler: handler))
    count += 1
  }

  private mutating func place(_ slot: Slot) {
    var i = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
    while let there = slots[i], there.path != slot.path { i = (i + 1) & (slots.count - 1) }
    slots[i] = slot
  }

  /// The method of a `:path`, whose query is left out.
  func find(_ fields: HeaderFields, _ pathField: Int) -> (any MethodHandler)? {
    var range = fields.valueRange(pathField)
    if let query = fields.bytes[range].firstIndex(of: UInt8(ascii: "?")) {
      range = range.lowerBound..<query
    }
    let path = fields.bytes.span.extracting(range)
    let hash = Self.hash(path)
    var i = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while let slot = slots[i] {
      if slot.hash == hash, Self.equal(slot.path.span, path) { return slot.handler }
      i = (i + 1) & (slots.count - 1)
    }
    return nil
  }

  private static func equal(_ a: borrowing Span<UInt8>, _ b: borrowing Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for i in a.indices where a[i] != b[i] { return false }
    return true
  }

  /// FNV-1a. The table's paths are the program's own, so a peer cannot make it degenerate.
  private static func hash(_ bytes: borrowing Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for i in bytes.indices { hash = (hash ^ UInt64(bytes[i])) &* 0x100_0000_01b3 }
    return hash
  }
}
