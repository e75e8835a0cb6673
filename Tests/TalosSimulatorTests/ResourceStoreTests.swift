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

  @Test("Events after a bookmark come in order, filtered by kind and id")
  func events() {
    var store = ResourceStore()
    let other = ResourceStore.Key(namespace: "n", type: "T", id: "b")
    store.put(key, owner: "", spec: [1], now: 1)
    let start = store.head
    store.put(other, owner: "", spec: [1], now: 2)
    store.put(key, owner: "", spec: [2], now: 3)
    store.remove(key)
    guard case .events(let all) = store.events(after: start, namespace: "n", type: "T", id: nil)
    else { return #expect(Bool(false), "the log was lost") }
    #expect(all.map(\.kind) == [.created, .updated, .destroyed])
    #expect(all.map(\.resource.key.id) == ["b", "a", "a"])
    #expect(all[1].old?.spec == [1])
    guard case .events(let one) = store.events(after: start, namespace: "n", type: "T", id: "a")
    else { return #expect(Bool(false), "the log was lost") }
    #expect(one.map(\.kind) == [.updated, .destroyed])
    #expect(store.events(after: store.head, namespace: "n", type: "U", id: nil) == .events([]))
  }

  @Test("A watch that lags too far is told so, and one from the future as well")
  func lost() {
    var store = ResourceStore()
    for index in 0..<(ResourceStore.logLimit + 5) {
      store.put(key, owner: "", spec: [UInt8(index & 1)], now: Int64(index))
    }
    #expect(store.events(after: 0, namespace: "n", type: "T", id: nil) == .lost)
    #expect(store.events(after: store.head + 1, namespace: "n", type: "T", id: nil) == .lost)
    guard case .events(let kept) = store.events(after: 5, namespace: "n", type: "T", id: nil)
    else { return #expect(Bool(false), "the log was lost") }
    #expect(kept.count == ResourceStore.logLimit)
  }

  @Test("A bookmark survives the wire, and a foreign one is refused")
  func bookmark() {
    #expect(Bookmark.decode(Bookmark.encode(0x0102_0304_0506)) == 0x0102_0304_0506)
    #expect(Bookmark.decode([1, 2, 3]) == nil)
    #expect(Bookmark.decode(Array(repeating: 7, count: 16)) == nil)
  }
}
