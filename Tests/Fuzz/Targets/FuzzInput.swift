/// Takes decisions out of an input: its first bytes say what is done with the rest.
struct FuzzInput {
  private var bytes: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  var isEmpty: Bool { bytes.isEmpty }

  /// The next byte, 0 at the end.
  mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

  mutating func take(_ count: Int) -> [UInt8] {
    defer { bytes = bytes.dropFirst(count) }
    return Array(bytes.prefix(count))
  }

  mutating func rest() -> [UInt8] {
    defer { bytes = [] }
    return Array(bytes)
  }

  /// Everything up to a byte, which is dropped.
  mutating func line(until end: UInt8 = 0x0a) -> [UInt8] {
    let line = Array(bytes.prefix { $0 != end })
    bytes = bytes.dropFirst(line.count + 1)
    return line
  }

  /// Cuts a stream into pieces of sizes that a pattern gives.
  static func pieces(of stream: [UInt8], _ pattern: UInt8) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var rest = stream[...]
    var state = UInt32(pattern) &* 2_654_435_761 | 1
    let most = Int(pattern & 15) + 1
    while !rest.isEmpty {
      state = state &* 1_664_525 &+ 1_013_904_223
      pieces.append(rest.prefix(Int(state >> 16) % most + 1))
      rest = rest.dropFirst(pieces[pieces.count - 1].count)
    }
    return pieces
  }
}
