import Encodings
import Platform
import RPCTransport

@testable import OmnictlCommands
@testable import RPC
@testable import TalosDriver

/// The small texts of flags, headers and files: endpoints, durations, percent-coding, versions.
///
/// The first byte chooses the parser.
enum TextTargets {
  static let target = FuzzTarget("text") { bytes in
    let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    switch (bytes.first ?? 0) % 9 {
    case 0: try endpoint(text)
    case 1: try talosEndpoint(text)
    case 2: try goDuration(text)
    case 3: try grpcTimeout(Array(bytes.dropFirst()))
    case 4: try percentCoding(text)
    case 5: try query(text)
    case 6: try trace(text)
    case 7: try version(text)
    default: try status(text)
    }
  }

  private static func endpoint(_ text: String) throws(Violation) {
    guard let endpoint = Endpoint(text) else { return }
    try require(
      Endpoint(endpoint.description) == endpoint, "\(endpoint) is read as another endpoint")
  }

  private static func talosEndpoint(_ text: String) throws(Violation) {
    guard let endpoint = TalosEndpoint(text) else { return }
    try require((1...65535).contains(endpoint.port), "port \(endpoint.port)")
    try require(
      TalosEndpoint(endpoint.description) == endpoint, "\(endpoint) is read as another endpoint")
  }

  private static func goDuration(_ text: String) throws(Violation) {
    guard let duration = try? GoDuration.parse(text) else { return }
    try require(duration >= .zero, "a negative duration")
    try require(
      (try? GoDuration.parse("0s" + text.drop { $0 == "+" })) == duration || text.hasSuffix("0"),
      "an empty part changes the sum")
  }

  private static func grpcTimeout(_ bytes: [UInt8]) throws(Violation) {
    guard let duration = GRPCTimeout.parse(bytes) else { return }
    try require(duration >= .zero, "a negative timeout")
    let written = GRPCTimeout.format(duration)
    guard let again = GRPCTimeout.parse(Array(written.utf8)) else {
      throw Violation("\(written) is refused")
    }
    try require(again >= duration, "\(written) is shorter")
  }

  private static func percentCoding(_ text: String) throws(Violation) {
    _ = PercentEncoding.decodeTolerantly(text)
    let encoded = PercentEncoding.encode(text, keeping: .fieldValue)
    try require(encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "not printable ASCII")
    try require(PercentEncoding.decodeTolerantly(encoded) == text, "decoded it is another text")
  }

  private static func query(_ text: String) throws(Violation) {
    guard let query = ConnectQuery(text[...]) else { return }
    try require(query.message.count <= text.utf8.count, "the message is longer than the query")
  }

  private static func trace(_ text: String) throws(Violation) {
    guard let context = TraceContext(traceparent: text) else { return }
    try require(context.traceID.count == 16 && context.spanID.count == 8, "wrong lengths")
    try require(
      TraceContext(traceparent: context.traceparent) == context, "read back, another context")
  }

  private static func version(_ text: String) throws(Violation) {
    guard let version = TalosVersion(tag: text) else { return }
    try require(TalosVersion(tag: version.description) == version, "\(version) changes")
    _ = PeerText.clean(text)
    try require(PeerText.clean(text).count <= PeerText.limit + 1, "a long text")
  }

  /// A status as it comes in trailers, and as Connect writes it.
  private static func status(_ text: String) throws(Violation) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var fields = HeaderFields(["grpc-status": String(lines[0])])
    if lines.count > 1 { fields.append("grpc-message", String(lines[1])) }
    if lines.count > 2 { fields.append("grpc-status-details-bin", String(lines[2])) }
    if let error = WireStatus.parse(fields) {
      let json = ConnectJSON.error(error)
      try require(JSONReader.parse(Array(json.utf8)) != nil, "no JSON: \(json)")
    }
    _ = JSONReader.parse(Array(text.utf8))
  }
}
