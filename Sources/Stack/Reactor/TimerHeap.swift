/// Timers by due time: a binary heap in which a cancelled timer is removed at once, so that
/// deadlines that are never reached cost nothing after their call has ended.
struct TimerHeap {
  typealias Work = @Sendable () -> Void

  private struct Entry {
    var due: UInt64
    var id: UInt64
    var work: Work
  }

  private var heap: [Entry] = []
  private var position: [UInt64: Int] = [:]
  private var nextID: UInt64 = 0

  var nextDue: UInt64? { heap.first?.due }
  var count: Int { heap.count }

  mutating func add(due: UInt64, _ work: @escaping Work) -> UInt64 {
    nextID += 1
    heap.append(Entry(due: due, id: nextID, work: work))
    position[nextID] = heap.count - 1
    siftUp(heap.count - 1)
    return nextID
  }

  mutating func cancel(_ id: UInt64) {
    guard let index = position[id] else { return }
    remove(at: index)
  }

  /// The work of a timer that is due.
  mutating func popDue(now: UInt64) -> Work? {
    guard let first = heap.first, first.due <= now else { return nil }
    remove(at: 0)
    return first.work
  }

  private mutating func remove(at index: Int) {
    position[heap[index].id] = nil
    let last = heap.removeLast()
    if index == heap.count { return }
    heap[index] = last
    position[last.id] = index
    siftDown(index)
    siftUp(index)
  }

  private mutating func siftUp(_ start: Int) {
    var i = start
    while i > 0, before(heap[i], heap[(i - 1) / 2]) {
      exchange(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  private mutating func siftDown(_ start: Int) {
    var i = start
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2] where child < heap.count {
        if before(heap[child], heap[least]) { least = child }
      }
      if least == i { return }
      exchange(i, least)
      i = least
    }
  }

  private func before(_ a: Entry, _ b: Entry) -> Bool {
    a.due < b.due || (a.due == b.due && a.id < b.id)
  }

  private mutating func exchange(_ a: Int, _ b: Int) {
    heap.swapAt(a, b)
    position[heap[a].id] = a
    position[heap[b].id] = b
  }
}
