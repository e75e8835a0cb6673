import Testing

@testable import RPCTransport

@Suite("Which listener may keep how much of requests")
struct RequestMemoryTests {
  private func memory(_ listeners: Int) -> RequestMemory {
    var memory = RequestMemory(limit: 1000)
    for _ in 0..<listeners { memory.addListener() }
    return memory
  }

  private func expect(
    _ memory: inout RequestMemory, _ listener: Int, by change: Int, _ isWithin: Bool
  ) {
    let answer = memory.change(listener, by: change)
    #expect(answer == isWithin)
  }

  @Test("One listener alone may keep all, and not a byte more")
  func alone() {
    var memory = memory(1)
    expect(&memory, 0, by: 1000, true)
    expect(&memory, 0, by: 1, false)
    expect(&memory, 0, by: -1, true)
  }

  @Test("Whatever one listener keeps, the other has its quarter of all")
  func reserve() {
    var memory = memory(2)
    expect(&memory, 0, by: 750, true)
    expect(&memory, 0, by: 1, false)
    // It counts all the same, as what has come is there.
    expect(&memory, 0, by: 10_000, false)
    expect(&memory, 1, by: 250, true)
    expect(&memory, 1, by: 1, false)
    expect(&memory, 1, by: -251, true)
    expect(&memory, 0, by: -10_001, true)
    expect(&memory, 1, by: 250, true)
  }

  @Test("What nobody has reserved is whoever's comes first")
  func shared() {
    var memory = memory(4)
    // 125 each are reserved, 500 are shared.
    expect(&memory, 2, by: 625, true)
    expect(&memory, 3, by: 125, true)
    expect(&memory, 3, by: 1, false)
    expect(&memory, 2, by: -1, true)
  }
}

@Suite("Who a local client is for limits")
struct LocalSourceTests {
  @Test("Each user counts alone; root and the server's own user do not count")
  func users() {
    #expect(SourceAddress.user(0, server: 999) == nil)
    #expect(SourceAddress.user(999, server: 999) == nil)
    #expect(SourceAddress.user(1000, server: 999) == "uid:1000")
    #expect(SourceAddress.user(1000, server: 0) == "uid:1000")
    #expect(SourceAddress.user(nil, server: 0) == "uid:unknown")
    // No address looks like that.
    #expect(SourceAddress.key("10.0.0.1") != "uid:1000")
  }
}
