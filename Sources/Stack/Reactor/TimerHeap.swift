/// Timers by due time: a binary heap whose entries are plain numbers, and the work of each timer in a slot.
///
/// Nearly every timer is the deadline of a call that ends long before. So cancelling only empties the slot,
/// which frees the work at once; the entries of cancelled timers leave the heap together, when they are more
/// than the others. Adding and cancelling take constant time for timers that come in the order of their due times.
struct TimerHeap {
  typealias Work = @Sendable () -> Void

  private struct Entry {
    var due: UInt64
    var order: UInt64
    var slot: Int
  }

  private struct Slot {
    /// The timer in the slot: a timer that was there before is told apart by it.
    var id: UInt64
    /// Nil when the timer was cancelled, or the slot is free.
    var work: Work?
  }

  private var heap: [Entry] = []
  private var slots: [Slot] = []
  private var freeSlots: [Int] = []
  private var added: UInt64 = 0
  /// Timers that are to fire.
  private(set) var count = 0

  /// Timers that are to fire, and cancelled ones that are still there.
  var entries: Int { heap.count }

  /// This many cancelled timers are kept however few are left.
  private static let cancelledKept = 64
  private static let slotBits: UInt64 = 32

  /// When the next timer is due, or a cancelled one would have been: whoever waits for that wakes once for
  /// nothing, which costs less than to keep the heap free of cancelled timers.
  var nextDue: UInt64? { heap.first?.due }

  mutating func add(due: UInt64, _ work: @escaping Work) -> UInt64 {
    added += 1
    let slot = freeSlots.popLast() ?? slots.count
    let id = added << Self.slotBits | UInt64(slot)
    if slot == slots.count {
      slots.append(Slot(id: id, work: work))
    } else {
      slots[slot] = Slot(id: id, work: work)
    }
    count += 1
    heap.append(Entry(due: due, order: added, slot: slot))
    siftUp(heap.count - 1)
    return id
  }

  mutating func cancel(_ id: UInt64) {
    let slot = Int(id & (1 << Self.slotBits - 1))
    guard slot < slots.count, slots[slot].id == id, slots[slot].work != nil else { return }
    slots[slot].work = nil
    count -= 1
    if heap.count - count > count + Self.cancelledKept { dropCancelled() }
  }

  /// The work of a timer that is due.
  mutating func popDue(now: UInt64) -> Work? {
    while let first = heap.first, first.due <= now {
      if let work = removeFirst() {
        count -= 1
        return work
      }
    }
    return nil
  }

  private mutating func dropCancelled() {
    var kept = 0
    for entry in heap {
      if slots[entry.slot].work == nil {
        freeSlots.append(entry.slot)
      } else {
        heap[kept] = entry
        kept += 1
      }
    }
    heap.removeLast(heap.count - kept)
    for i in stride(from: kept / 2 - 1, through: 0, by: -1) { siftDown(i) }
  }

  /// Takes the first entry out of the heap; nil when its timer was cancelled.
  private mutating func removeFirst() -> Work? {
    let slot = heap[0].slot
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown(0)
    }
    freeSlots.append(slot)
    return slots[slot].work.take()
  }

  private mutating func siftUp(_ start: Int) {
    let entry = heap[start]
    var i = start
    while i > 0, isBefore(entry, heap[(i - 1) / 2]) {
      heap[i] = heap[(i - 1) / 2]
      i = (i - 1) / 2
    }
    heap[i] = entry
  }

  private mutating func siftDown(_ start: Int) {
    let entry = heap[start]
    var i = start
    while true {
      var child = 2 * i + 1
      if child >= heap.count { break }
      if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
      if !isBefore(heap[child], entry) { break }
      heap[i] = heap[child]
      i = child
    }
    heap[i] = entry
  }

  private func isBefore(_ a: Entry, _ b: Entry) -> Bool {
    a.due < b.due || (a.due == b.due && a.order < b.order)
  }
}
