import ProtoCodec
import RPC
import Schema

/// `message { bytes b = 1; }`, the one message of the benchmark service `x.S`.
struct BenchMessage: ProtoCodec.Message {
  var b: [UInt8] = []
  var unknownFields = UnknownFields()
  static let fields = FieldTable<Self>("x.Message") {
    Field.bytes(1, "b", \.b)
  }
}

enum BenchMethods {
  static let echo = RPC.Method<BenchMessage, BenchMessage>(
    service: "x.S", name: "y", kind: .unary)
  static let watch = RPC.Method<BenchMessage, BenchMessage>(
    service: "x.S", name: "Watch", kind: .serverStreaming)
  static let tick = RPC.Method<BenchMessage, BenchMessage>(
    service: "x.S", name: "Tick", kind: .unary)
  static let stream = RPC.Method<BenchMessage, BenchMessage>(
    service: "x.S", name: "Stream", kind: .serverStreaming)
}

extension BenchMessage {
  /// What the first eight bytes say, little-endian: how many messages `/x.S/Stream` shall send.
  var wantedCount: UInt64 {
    b.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
