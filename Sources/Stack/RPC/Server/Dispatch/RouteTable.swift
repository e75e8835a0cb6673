/// Methods by path, found from the bytes of `:path` without making a `String`.
struct RouteTable: Sendable {
  // Open addressing, in three arrays: looking for a method touches the hashes, and of one slot the
  // rest.
  private var hashes = [UInt64](repeating: 0, count: 16)
  private var paths = [[UInt8]](repeating: [], count: 16)
  private var handlers = [(any MethodHandler)?](repeating: nil, count: 16)
  private var count = 0

  /// Adds a method; one of the same path is replaced.
  mutating func insert(_ handler: any MethodHandler) {
    if (count + 1) * 2 > hashes.count { grow() }
    place(handler)
  }

  private mutating func grow() {
    let old = handlers
    hashes = Array(repeating: 0, count: old.count * 2)
    paths = Array(repeating: [], count: old.count * 2)
    handlers = Array(repeating: nil, count: old.count * 2)
    count = 0
    for handler in old { if let handler { place(handler) } }
  }

  private mutating func place(_ handler: any MethodHandler) {
    let path = Array(handler.path.utf8)
    let hash = Self.hash(path.span)
    var i = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
    while hashes[i] != 0, paths[i] != path { i = (i + 1) & (hashes.count - 1) }
    if hashes[i] == 0 { count += 1 }
    hashes[i] = hash
    paths[i] = path
    handlers[i] = handler
  }

  /// The method of exactly that path.
  func handler(path: String) -> (any MethodHandler)? {
    find(HeaderFields([":path": path]), 0)
  }

  /// The method of a `:path`, whose query is left out.
  func find(_ fields: HeaderFields, _ pathField: Int) -> (any MethodHandler)? {
    let range = fields.valueRange(pathField)
    let bytes = fields.bytes.span
    var end = range.lowerBound
    while end < range.upperBound && bytes[end] != UInt8(ascii: "?") { end += 1 }
    let path = bytes.extracting(range.lowerBound..<end)
    let hash = Self.hash(path)
    var i = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
    // 0 is an empty slot; see `hash`.
    while hashes[i] != 0 {
      if hashes[i] == hash {
        let known = paths[i]
        if Self.equal(known.span, path) { return handlers[i] }
      }
      i = (i + 1) & (hashes.count - 1)
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
    // 0 means an empty slot.
    return hash == 0 ? 1 : hash
  }
}
