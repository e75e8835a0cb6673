import Synchronization

/// Writes the binary format from its end to its beginning.
///
/// The length of a message is known once its content is written, so one pass is enough and no
/// size is computed before. The bytes are moved once, to where they are wanted.
///
/// What writes a field takes the place behind which it writes and returns the place where the field
/// begins. That keeps the place in a register; `cursor` holds it while a `FieldAccess` is called.
@usableFromInline struct BackwardWriter {
  typealias Place = UnsafeMutablePointer<UInt8>

  var cursor: Place
  private(set) var start: Place
  /// Behind the last byte. The memory may move, so places are remembered as distances from here.
  private(set) var end: Place
  private var ownsMemory: Bool

  private init(_ memory: UnsafeMutableRawBufferPointer, ownsMemory: Bool) {
    start = memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
    end = start + memory.count
    cursor = end
    self.ownsMemory = ownsMemory
  }

  /// Messages up to this size are written on the stack.
  private static let stackCapacity = 1024

  /// Appends the message at `base` to `buffer`.
  @usableFromInline static func write(
    _ table: UnsafePointer<CodingTable>, of layout: MessageLayout, from base: UnsafeRawPointer,
    appendingTo buffer: inout [UInt8]
  ) {
    let guess = layout.sizeHint.load(ordering: .relaxed)
    var written = 0
    if guess <= stackCapacity {
      withUnsafeTemporaryAllocation(byteCount: stackCapacity, alignment: 8) { memory in
        var writer = BackwardWriter(memory, ownsMemory: false)
        written = writer.write(table, from: base, appendingTo: &buffer)
      }
    } else {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: guess, alignment: 8)
      var writer = BackwardWriter(memory, ownsMemory: true)
      written = writer.write(table, from: base, appendingTo: &buffer)
    }
    // A little more than the last time, so that a message that grows slowly still fits.
    let wanted = written + written / 8 + numberRoom
    if wanted > guess || wanted < guess / 4 {
      layout.sizeHint.store(wanted, ordering: .relaxed)
    }
  }

  private mutating func write(
    _ table: UnsafePointer<CodingTable>, from base: UnsafeRawPointer,
    appendingTo buffer: inout [UInt8]
  ) -> Int {
    let first = encode(table, from: base, before: end)
    let count = end - first
    buffer.append(contentsOf: UnsafeBufferPointer(start: first, count: count))
    if ownsMemory { start.deallocate() }
    return count
  }

  /// The same place, or its like in new memory, with room for `count` bytes before it.
  @inline(__always) mutating func room(_ count: Int, before place: Place) -> Place {
    place - start >= count ? place : grow(count, place)
  }

  @inline(never) private mutating func grow(_ count: Int, _ place: Place) -> Place {
    let written = end - place
    let capacity = max(2 * (end - start), written + count + 1024)
    let memory = Place.allocate(capacity: capacity)
    let newEnd = memory + capacity
    (newEnd - written).update(from: place, count: written)
    if ownsMemory { start.deallocate() }
    start = memory
    end = newEnd
    ownsMemory = true
    return newEnd - written
  }
}
