internal import Encodings
internal import ProtoCodec
internal import RPC
internal import Schema

/// The answers of several machines as one message. Every answer has its content in field 1, repeated,
/// and that content has a field 1 of its own for `common.Metadata`; so messages can be joined and
/// marked without knowing their types.
enum AggregatedAnswer {
  static func mark(_ answer: [UInt8], hostname: String) -> [UInt8] {
    var metadata = Talos.Metadata()
    metadata.hostname = hostname
    guard let content = content(of: answer) else {
      return failure(
        RPCError(.internalError, "unexpected message format"), hostname: hostname)
    }
    return field(1, Array(content) + field(1, metadata.serialized()))
  }

  static func failure(_ error: any Error, hostname: String) -> [UInt8] {
    field(1, failureMessage(error, hostname: hostname))
  }

  /// A message of a stream with the machine's name. What is streamed stands in no list: the metadata
  /// goes to the message's end.
  static func markMessage(_ message: [UInt8], hostname: String) -> [UInt8] {
    var metadata = Talos.Metadata()
    metadata.hostname = hostname
    return message + field(1, metadata.serialized())
  }

  /// What stands in a stream for a machine's failure.
  static func failureMessage(_ error: any Error, hostname: String) -> [UInt8] {
    let error = error as? RPCError ?? RPCError(.unknown, "the call failed")
    var metadata = Talos.Metadata()
    metadata.hostname = hostname
    metadata.error = "rpc error: code = \(error.code.goName) desc = \(error.message)"
    var status = GoogleRPC.Status()
    status.code = Int32(error.code.rawValue)
    status.message = error.message
    metadata.status = status
    return field(1, metadata.serialized())
  }

  /// The bytes of the first field, which has to be number 1 with a length; an empty answer counts as
  /// an empty one.
  private static func content(of answer: [UInt8]) -> ArraySlice<UInt8>? {
    var cursor = FieldCursor(answer[...])
    guard let field = cursor.next(), field.number == 1 else { return nil }
    return field.bytes
  }

  private static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    FieldWriter.append(number, bytes, to: &out)
    return out
  }
}

extension StatusCode {
  /// The name that Go programs write: `NotFound` for NOT_FOUND.
  var goName: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "Canceled"
    default:
      name.split(separator: "_").map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined()
    }
  }
}
