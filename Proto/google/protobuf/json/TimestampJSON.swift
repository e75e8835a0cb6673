import Encodings
public import ProtoCodec

/// RFC 3339, such as `1972-01-01T10:00:20.021Z`, for the years 1 to 9999.
extension Timestamp: CustomJSONMessage {
  private static let earliest: Int64 = -62_135_596_800
  private static let latest: Int64 = 253_402_300_799

  /// The text in UTC; nil outside the years 1 to 9999 or with nanoseconds out of range.
  public var rfc3339: String? {
    guard (Timestamp.earliest...Timestamp.latest).contains(seconds),
      (0...999_999_999).contains(nanos)
    else { return nil }
    return RFC3339.text(secondsSince1970: seconds, nanoseconds: nanos, fraction: .shortest)
  }

  /// Reads RFC 3339 with `Z` or an offset and at most nine digits of fraction; nil for everything
  /// else.
  public init?(rfc3339 text: String) {
    guard let time = RFC3339.parse(text),
      (Timestamp.earliest...Timestamp.latest).contains(time.secondsSince1970)
    else { return nil }
    self.init(seconds: time.secondsSince1970, nanos: time.nanoseconds)
  }

  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    guard let text = rfc3339 else { throw JSONEncodingError("a timestamp is out of range") }
    writer.string(text)
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .string(let text) = value else {
      throw JSONDecodingError(.wrongKind, "a date was expected, not \(value.kind)")
    }
    guard let timestamp = Timestamp(rfc3339: text) else {
      throw JSONDecodingError(.invalidValue, "not a date by RFC 3339 in the years 1 to 9999")
    }
    self = timestamp
  }
}
