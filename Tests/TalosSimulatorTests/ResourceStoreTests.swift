import Testing

@testable import TalosSimulator

@Suite("Resources have versions and a history")
struct ResourceStoreTests {
  private let key = ResourceStore.Key(namespace: "n", type: "T", id: "a")

  @Test("A version counts up only when the content changes")
  func versions() {
    var store = ResourceStore()
    store.put(key, owner: "o", spec: [1], now: 10)
    store.put(key, owner: "o", spec: [1], now: 20)
    #expect(store.get(key)?.version == 1)
    #expect(store.get(key)?.updated == 10)
    store.put(key, owner: "o", spec: [2], now: 30)
    #expect(store.get(key)?.version == 2)
    #expect(store.get(key)?.created == 10)
    #expect(store.get(key)?.updated == 30)
  }

  private func events(
    _ store: ResourceStore, from place: Int, type: String = "T", id: String? = nil
  ) -> [ResourceStore.Event]? {
    guard
      case .events(let events) = store.events(from: place, namespace: "n", type: type, id: id)
    else { return nil }
    return events
  }

  @Test("Events from a place on come in order, filtered by kind and id")
  func events() {
    var store = ResourceStore()
    let other = ResourceStore.Key(namespace: "n", type: "T", id: "b")
    let elsewhere = ResourceStore.Key(namespace: "n", type: "U", id: "a")
    store.put(key, owner: "", spec: [1], now: 1)
    store.put(elsewhere, owner: "", spec: [1], now: 1)
    let start = store.end(namespace: "n", type: "T")
    store.put(other, owner: "", spec: [1], now: 2)
    store.put(key, owner: "", spec: [2], now: 3)
    store.remove(key)
    let all = events(store, from: start)
    #expect(all?.map(\.kind) == [.created, .updated, .destroyed])
    #expect(all?.map(\.resource.key.id) == ["b", "a", "a"])
    #expect(all?.map(\.index) == [1, 2, 3])
    #expect(all?[1].old?.spec == [1])
    #expect(events(store, from: start, id: "a")?.map(\.kind) == [.updated, .destroyed])
    #expect(events(store, from: 1, type: "U") == [])
    #expect(events(store, from: 0, type: "V") == [])
  }

  @Test("A watch that lags too far is told so, and one from the future as well")
  func lost() {
    var store = ResourceStore()
    let count = 3 * ResourceStore.logLimit
    for index in 0..<count {
      store.put(key, owner: "", spec: [UInt8(index & 1)], now: Int64(index))
    }
    let first = count - ResourceStore.logLimit
    #expect(
      store.events(from: first - 1, namespace: "n", type: "T", id: nil) == .lost(end: count))
    #expect(
      store.events(from: count + 1, namespace: "n", type: "T", id: nil) == .lost(end: count))
    #expect(
      events(store, from: first)?.map(\.index) == Array(first..<count))
  }

  @Test("What happens to one kind pushes nothing of another one out of its log")
  func apart() {
    var store = ResourceStore()
    store.put(key, owner: "", spec: [1], now: 1)
    let other = ResourceStore.Key(namespace: "n", type: "U", id: "a")
    for index in 0..<(2 * ResourceStore.logLimit) {
      store.put(other, owner: "", spec: [UInt8(index & 1)], now: 2)
    }
    #expect(events(store, from: 0)?.map(\.kind) == [.created])
  }

  @Test("A watch goes on behind an event that the log holds, and begins with the last events")
  func places() {
    var store = ResourceStore()
    let other = ResourceStore.Key(namespace: "n", type: "T", id: "b")
    for index in 0..<5 { store.put(key, owner: "", spec: [UInt8(index)], now: 1) }
    store.put(other, owner: "", spec: [1], now: 1)
    func behind(_ index: Int, id: String? = nil) -> Int? {
      store.place(behind: index, namespace: "n", type: "T", id: id)
    }
    func last(_ count: Int, id: String? = nil) -> Int {
      store.place(ofLast: count, namespace: "n", type: "T", id: id)
    }
    #expect(behind(3) == 4 && behind(5) == 6)
    #expect(behind(6) == nil && behind(-2) == nil)
    #expect(behind(-1) == 0 && behind(-1, id: "a") == nil)
    #expect(last(2) == 4 && last(100) == 0)
    #expect(last(2, id: "a") == 3 && last(1, id: "b") == 5 && last(2, id: "b") == 0)
    for index in 0..<ResourceStore.logLimit {
      store.put(key, owner: "", spec: [UInt8(index & 1)], now: 2)
    }
    let end = store.end(namespace: "n", type: "T")
    let first = end - ResourceStore.logLimit + ResourceStore.logGap
    #expect(behind(first) == first + 1 && behind(first - 1) == nil)
    #expect(last(5_000) == first)
  }

  @Test("A bookmark survives the wire, and one of another boot is refused")
  func bookmark() {
    let coding = BookmarkCoding()
    for place in [0x0102_0304_0506, 0, -1] { #expect(coding.decode(coding.encode(place)) == place) }
    #expect(coding.decode([1, 2, 3]) == nil)
    #expect(coding.decode(Array(repeating: 7, count: 16)) == nil)
    #expect(BookmarkCoding().decode(coding.encode(5)) == nil)
  }
}
