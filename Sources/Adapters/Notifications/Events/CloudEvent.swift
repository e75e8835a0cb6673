import Crypto
import Encodings
import ProtoCodec
public import Rotation

/// An event as it is sent: CloudEvents 1.0, in the structured mode of its binding to HTTP, JSON.
public struct CloudEvent: Sendable, Hashable {
  public static let contentType = "application/cloudevents+json; charset=utf-8"

  /// The same whenever the event is sent: receivers drop what they have had by it. Letters, digits and `_` alone, so that
  /// it can stand in a header and in what is signed.
  public let id: String
  public let type: EventType
  /// Empty where it is of none.
  public let cluster: String
  /// When it happened.
  public let time: Instant
  /// Whether it is told for as long as it holds.
  public let isCondition: Bool
  /// The JSON, as UTF-8.
  public let body: [UInt8]

  /// - Parameters:
  ///   - key: what tells the event from every other one.
  ///   - source: which omnid it is of, a URI.
  ///   - cluster: empty where it is of none.
  ///   - subject: what it is about, within the cluster.
  ///   - data: JSON, as UTF-8.
  public init(
    _ type: EventType, key: [String], source: String, cluster: String, subject: String,
    time: Instant, isCondition: Bool, data: [UInt8]
  ) {
    self.type = type
    self.cluster = cluster
    self.time = time
    self.isCondition = isCondition
    id = Self.id(key)
    let base = source.isEmpty ? "urn:omnid:" : source.hasSuffix("/") ? source : source + "/"
    func text(_ value: String) -> [UInt8] {
      var writer = JSONWriter()
      writer.string(value)
      return writer.bytes
    }
    let members: [(String, [UInt8])] = [
      ("specversion", text("1.0")), ("id", text(id)),
      ("source", text(cluster.isEmpty ? base + "server" : base + "clusters/" + cluster)),
      ("type", text(type.name)), ("subject", text(subject)), ("time", text("\(time)")),
      ("datacontenttype", text("application/json")), ("data", data),
    ]
    body =
      Array("{".utf8)
      + members.map { Array("\"\($0.0)\":".utf8) + $0.1 }.joined(separator: Array(",".utf8))
      + Array("}".utf8)
  }

  /// 128 bits of the digest of the key. Each part has its length before it, so that no two keys read alike.
  public static func id(_ key: [String]) -> String {
    let bytes = key.flatMap { Array("\($0.utf8.count):\($0);".utf8) }
    return "evt_" + Hexadecimal.encode(SHA256.digest(bytes).prefix(16))
  }
}
