/// Where a header block is put together, field by field, and the blocks seen last.
///
/// Most blocks of a connection repeat the one before: as long as a block does, its fields are compared
/// with what is in the buffers, not written.
@safe
struct HeaderAssembly: ~Copyable {
  private var bytes: UnsafeMutablePointer<UInt8>?  // owned: freed in deinit
  private var byteCount = 0
  private var byteCapacity = 0
  private var ends: UnsafeMutablePointer<UInt32>?  // owned: freed in deinit
  private var endCount = 0
  private var endCapacity = 0
  private var methodField = -1
  private var pathField = -1
  private var isInformational = false
  /// What the block counts against the limit, with 32 bytes for each field (RFC 9113 6.5.2). Not kept
  /// up while the block repeats one that was within it.
  private var size = 0
  private let limit: Int

  /// Newest hit last.
  private var recent: [HeaderBlock] = []
  private static let recentBlocks = 4
  /// A longer block is not kept: it would make idle connections expensive.
  private static let recentBytes = 1024

  /// How many ends the last of `recent` has, if the buffers hold it; or 0.
  private var heldEnds = 0
  /// What has come of this block is how the held one begins.
  private var isRepeating = false

  init(limit: Int) { self.limit = limit }

  deinit {
    unsafe bytes?.deallocate()
    unsafe ends?.deallocate()
  }

  var isTooLarge: Bool { size > limit }

  /// The kind that a `content-type` behind what is kept of a block that is too large tells of.
  private var lateKind: RequestKind?

  /// What a block that is too large was to begin, as far as its `content-type` tells.
  var kind: RequestKind {
    if let lateKind { return lateKind }
    guard let bytes = unsafe bytes, let ends = unsafe ends else { return .other }
    var start = 0
    for field in 0..<(endCount / 2) {
      let (nameEnd, end) = unsafe (Int(ends[2 * field]), Int(ends[2 * field + 1]))
      let found = unsafe RequestKind.of(
        UnsafeBufferPointer(start: bytes + start, count: nameEnd - start),
        UnsafeBufferPointer(start: bytes + nameEnd, count: end - nameEnd))
      if let found { return found }
      start = end
    }
    return .other
  }

  mutating func reset() {
    byteCount = 0
    endCount = 0
    methodField = -1
    pathField = -1
    isInformational = false
    lateKind = nil
    size = 0
    isRepeating = heldEnds > 0
  }

  @inline(__always)
  mutating func append(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    if isRepeating {
      if unsafe repeats(name, value) {
        byteCount += name.count + value.count
        endCount += 2
        return
      }
      depart()
    }
    unsafe write(name, value)
  }

  @inline(__always)
  private func repeats(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard endCount < heldEnds, let bytes = unsafe bytes, let ends = unsafe ends else {
      return false
    }
    let nameEnd = byteCount + name.count
    return unsafe ends[endCount] == UInt32(truncatingIfNeeded: nameEnd)
      && ends[endCount + 1] == UInt32(truncatingIfNeeded: nameEnd + value.count)
      && ShortBytes.equal(bytes + byteCount, name) && ShortBytes.equal(bytes + nameEnd, value)
  }

  /// The block repeats the held one no more: what is known of that goes for what has come so far.
  private mutating func depart() {
    isRepeating = false
    heldEnds = 0
    size = byteCount + 32 * (endCount / 2)
    guard let bytes = unsafe bytes, let ends = unsafe ends else { return }
    var start = 0
    for field in 0..<(endCount / 2) {
      let (nameEnd, end) = unsafe (Int(ends[2 * field]), Int(ends[2 * field + 1]))
      unsafe note(
        field, UnsafeBufferPointer(start: bytes + start, count: nameEnd - start),
        UnsafeBufferPointer(start: bytes + nameEnd, count: end - nameEnd))
      start = end
    }
  }

  private mutating func write(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) {
    size += name.count + value.count + 32
    if size > limit { return unsafe noteLate(name, value) }
    let total = name.count + value.count
    if byteCount + total > byteCapacity || endCount + 2 > endCapacity { grow(total) }
    guard let bytes = unsafe bytes, let ends = unsafe ends else { return }
    unsafe note(endCount / 2, name, value)
    if let source = name.baseAddress {
      unsafe (bytes + byteCount).update(from: source, count: name.count)
    }
    byteCount += name.count
    unsafe ends[endCount] = UInt32(byteCount)
    if let source = value.baseAddress {
      unsafe (bytes + byteCount).update(from: source, count: value.count)
    }
    byteCount += value.count
    unsafe ends[endCount + 1] = UInt32(byteCount)
    endCount += 2
  }

  private mutating func noteLate(
    _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) {
    if lateKind == nil { lateKind = unsafe RequestKind.of(name, value) }
  }

  /// Keeps in mind `:method`, `:path` and `:status`.
  @inline(__always)
  private mutating func note(
    _ field: Int, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
  ) {
    guard unsafe name.count > 4 && name[0] == 0x3a else { return }
    switch unsafe (name.count, name[1], name[2]) {
    case (7, 0x6d, _): methodField = field
    case (5, 0x70, _): pathField = field
    case (7, 0x73, 0x74): isInformational = unsafe value.first == 0x31
    default: break
    }
  }

  private mutating func grow(_ more: Int) {
    let newBytes = max(256, 2 * byteCapacity, byteCount + more)
    let newEnds = max(24, 2 * endCapacity)
    let movedBytes = UnsafeMutablePointer<UInt8>.allocate(capacity: newBytes)
    let movedEnds = UnsafeMutablePointer<UInt32>.allocate(capacity: newEnds)
    if let bytes = unsafe bytes { unsafe movedBytes.update(from: bytes, count: byteCount) }
    if let ends = unsafe ends { unsafe movedEnds.update(from: ends, count: endCount) }
    unsafe bytes?.deallocate()
    unsafe ends?.deallocate()
    unsafe bytes = movedBytes
    unsafe ends = movedEnds
    byteCapacity = newBytes
    endCapacity = newEnds
  }

  /// The block put together so far, and an empty assembly.
  ///
  /// - Parameter evicted: takes the block that made room for it; events may still refer to it.
  mutating func take(evicted: (HeaderBlock) -> Void) -> HeaderBlock {
    defer { reset() }
    if isRepeating {
      if endCount == heldEnds { return recent[recent.count - 1] }
      depart()
    }
    for i in stride(from: recent.count - 1, through: 0, by: -1) where equals(recent[i]) {
      if i != recent.count - 1 { recent.swapAt(i, recent.count - 1) }
      heldEnds = endCount
      return recent[recent.count - 1]
    }
    let block = unsafe HeaderBlock(
      bytes: Array(UnsafeBufferPointer(start: bytes, count: byteCount)),
      ends: Array(UnsafeBufferPointer(start: ends, count: endCount)),
      methodField: methodField, pathField: pathField, isInformational: isInformational)
    if byteCount <= Self.recentBytes && methodField >= 0 {
      if recent.count == Self.recentBlocks { evicted(recent.removeFirst()) }
      recent.append(block)
      heldEnds = endCount
    } else {
      evicted(block)
    }
    if byteCapacity > 4 * Self.recentBytes { shrink() }
    return block
  }

  private mutating func shrink() {
    heldEnds = 0
    unsafe bytes?.deallocate()
    unsafe ends?.deallocate()
    unsafe bytes = nil
    unsafe ends = nil
    byteCapacity = 0
    endCapacity = 0
  }

  private func equals(_ block: HeaderBlock) -> Bool {
    guard block.bytes.count == byteCount, block.ends.count == endCount else { return false }
    guard let bytes = unsafe bytes, let ends = unsafe ends else { return byteCount == 0 }
    return unsafe block.bytes.withUnsafeBytes { known in
      unsafe block.ends.withUnsafeBytes { knownEnds in
        guard let known = known.baseAddress, let knownEnds = knownEnds.baseAddress else {
          return false
        }
        return unsafe ShortBytes.equal(known, bytes, byteCount)
          && ShortBytes.equal(knownEnds, ends, 4 * endCount)
      }
    }
  }
}
