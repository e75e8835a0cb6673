import TestSupport
import Testing

@testable import HTTP2

/// Requests that wait for room on their connection.
@Suite struct RequestQueueTests {
  private func entry(_ stream: HTTP2Stream) -> RequestQueue.Entry {
    RequestQueue.Entry(stream: stream, head: SessionPair.request, hasBody: false)
  }

  @Test("Requests leave in the order they came, but for those that were taken out")
  func order() {
    var queue = RequestQueue()
    let streams = (0..<5).map { _ in HTTP2Stream() }
    for stream in streams { queue.append(entry(stream)) }
    let removed = [queue.remove(streams[0]), queue.remove(streams[2])]
    #expect(removed == [true, true] && queue.count == 3)
    let again = queue.remove(streams[2])
    #expect(!again, "a stream is taken out once")
    var left: [ObjectIdentifier] = []
    while let next = queue.popFirst() { left.append(ObjectIdentifier(next.stream)) }
    #expect(left == [1, 3, 4].map { ObjectIdentifier(streams[$0]) })
    #expect(queue.isEmpty && queue.popFirst() == nil)
    let late = queue.remove(streams[1])
    #expect(!late, "one that has left does not wait any more")
  }

  @Test("The queue behaves as a list does, through thousands of random steps")
  func random() {
    let seed = RandomSeed()
    var generator = seed.generator
    var queue = RequestQueue()
    var model: [HTTP2Stream] = []
    for step in 0..<5000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<5:
        let stream = HTTP2Stream()
        queue.append(entry(stream))
        model.append(stream)
      case 5..<8 where !model.isEmpty:
        let stream = model.remove(at: Int.random(in: 0..<model.count, using: &generator))
        let isRemoved = queue.remove(stream)
        #expect(isRemoved, "step \(step), \(seed)")
      default:
        let next = queue.popFirst()
        #expect(next?.stream === model.first, "step \(step), \(seed)")
        if !model.isEmpty { model.removeFirst() }
      }
      #expect(queue.count == model.count && queue.isEmpty == model.isEmpty, "\(seed)")
    }
  }
}
