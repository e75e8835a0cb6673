import RPC
import RPCTransport
import TestSupport
import Testing

/// Calls of a connection whose heads are equal are resolved once; that must not be seen.
@Suite struct SharedHeadTests {
  @Test("Methods called in turn on one connection each get their own answers")
  func turns() async throws {
    let seed = RandomSeed()
    var generator = seed.generator
    let names = (0..<7).map { "Method\($0)" }
    var router = ServiceRouter()
    for name in names {
      router.handle(method(name)) { (request: [UInt8], _) in Array(name.utf8) + request }
    }
    try await Transport.unix.withClient(router) { client in
      for round in 0..<6 {
        for name in names.shuffled(using: &generator) {
          let answer = try await client.unary(method(name), [UInt8(round)])
          #expect(answer == Array(name.utf8) + [UInt8(round)], "\(seed)")
        }
      }
    }
  }

  @Test("Each call has the deadline and the metadata of its own head")
  func own() async throws {
    var router = ServiceRouter()
    router.handle(method("Seen")) { (_: [UInt8], call) in
      Array("\(call.metadata["x"] ?? "-") \(call.deadline == nil)".utf8)
    }
    try await Transport.unix.withClient(router) { client in
      for _ in 0..<3 {
        for (value, timeout) in [("a", Duration?.none), ("b", .seconds(60)), ("a", .seconds(60))] {
          let options = CallOptions(timeout: timeout, metadata: Metadata(["x": value]))
          let answer = try await client.unary(method("Seen"), [], options: options)
          #expect(String(decoding: answer, as: UTF8.self) == "\(value) \(timeout == nil)")
        }
      }
    }
  }

  private func method(_ name: String) -> Method<[UInt8], [UInt8]> {
    Method(service: "x.Y", name: name, kind: .unary, request: .bytes, response: .bytes)
  }
}
