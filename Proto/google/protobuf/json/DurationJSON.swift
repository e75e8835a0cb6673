import Encodings
public import ProtoCodec

/// Seconds with a fraction and an `s`, such as `1.500s`, within ±10,000 years.
extension ProtoDuration: CustomJSONMessage {
  private static let limit: Int64 = 315_576_000_000

  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    guard abs(seconds.clamped) <= ProtoDuration.limit, nanos.magnitude <= 999_999_999,
      seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
    else { throw JSONEncodingError("a duration is out of range") }
    let sign = seconds < 0 || nanos < 0 ? "-" : ""
    writer.string(
      sign + String(seconds.magnitude) + SecondFraction.shortest.text(Int32(nanos.magnitude)) + "s")
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .string(let text) = value else {
      throw JSONDecodingError(.wrongKind, "a duration was expected, not \(value.kind)")
    }
    var scanner = DigitScanner(text)
    let isNegative = scanner.take("-")
    guard let seconds = scanner.number(), let nanos = scanner.fraction(), scanner.take("s"),
      scanner.isAtEnd, seconds <= ProtoDuration.limit
    else {
      throw JSONDecodingError(.invalidValue, "not a duration in seconds, such as \"1.5s\"")
    }
    self.init(seconds: isNegative ? -seconds : seconds, nanos: isNegative ? -nanos : nanos)
  }
}

extension Int64 {
  /// Without the one value that has no absolute value.
  fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}
