import Testing

@testable import RPC

@Suite struct RouteTableTests {
  static func handler(_ service: String, _ name: String) -> any MethodHandler {
    UnaryHandler(
      method: RPC.Method<[UInt8], [UInt8]>(
        service: service, name: name, kind: .unary, request: .bytes, response: .bytes),
      chain: InterceptorChain()
    ) { request, _ in request }
  }

  func find(_ table: RouteTable, _ path: String) -> (any MethodHandler)? {
    table.find(HeaderFields([":method": "POST", ":path": path]), 1)
  }

  @Test("A method is found by its path, whose query does not count")
  func found() {
    var table = RouteTable()
    let handler = Self.handler("a.B", "C")
    table.insert(handler)
    #expect(find(table, "/a.B/C") === handler)
    #expect(find(table, "/a.B/C?") === handler)
    #expect(find(table, "/a.B/C?x=/a.B/D") === handler)
    #expect(table.handler(path: "/a.B/C") === handler)
  }

  @Test(
    "Nothing is found by a path that is only like a method's",
    arguments: [
      "", "/", "?", "/a.B", "/a.B/", "/a.B/CC", "/a.b/C", "a.B/C", "/a.B/C/", "/a.B/C%20",
      "//a.B/C",
    ])
  func notFound(_ path: String) {
    var table = RouteTable()
    #expect(find(table, path) == nil)
    table.insert(Self.handler("a.B", "C"))
    #expect(find(table, path) == nil)
  }

  @Test("A method takes the place of one of the same path")
  func replaced() {
    var table = RouteTable()
    table.insert(Self.handler("a.B", "C"))
    let second = Self.handler("a.B", "C")
    table.insert(second)
    #expect(find(table, "/a.B/C") === second)
  }

  @Test("Each of many methods is found, in the table and in copies of it made before it grew")
  func many() {
    var table = RouteTable()
    let handlers = (0..<500).map { Self.handler("service\($0 % 7)", "Method\($0)") }
    for handler in handlers[..<100] { table.insert(handler) }
    let copy = table
    for handler in handlers[100...] { table.insert(handler) }
    for handler in handlers { #expect(find(table, handler.path) === handler) }
    for handler in handlers[..<100] { #expect(find(copy, handler.path) === handler) }
    #expect(find(copy, handlers[100].path) == nil)
  }
}
