internal import Encodings

extension RPCError {
  /// Bytes that a status may take in a header block: what every client and proxy takes of one.
  static let mostBytes = 8 << 10
  /// For the names of its fields and what HTTP/2 counts for each, `grpc-status` included.
  private static let overhead = 256

  /// The same error with a text that is cut, and without the details that do not fit, so that its
  /// `grpc-message` and `grpc-status-details-bin` stay below 8 KiB together. Its metadata is not counted.
  ///
  /// What a machine or a peer says may be in a text, and is not to make a status that no client takes.
  var bounded: RPCError {
    // An escaped byte takes three, and the text stands in the details too.
    if details.isEmpty && message.utf8.count <= Self.mostBytes / 4 { return self }
    var error = self
    error.message = Self.cut(message, to: details.isEmpty ? 6 << 10 : 2 << 10)
    error.details = []
    let text = PercentEncoding.encode(error.message, keeping: .fieldValue).utf8.count
    for detail in details {
      error.details.append(detail)
      let count = StatusDetailsWire.encode(error).count
      if text + (count + 2) / 3 * 4 > Self.mostBytes - Self.overhead { error.details.removeLast() }
    }
    return error
  }

  /// The beginning of a text that takes at most so many bytes when it is percent-encoded, with an ellipsis
  /// where something was left out.
  private static func cut(_ text: String, to limit: Int) -> String {
    if PercentEncoding.encode(text, keeping: .fieldValue).utf8.count <= limit { return text }
    var left = limit
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isPlain = scalar.value > 0x20 && scalar.value <= 0x7e && scalar != "%"
      // A space at the end is escaped.
      left -= isPlain ? 1 : 3 * UTF8.width(scalar)
      // Room for the ellipsis.
      if left < 9 { return String(kept) + "…" }
      kept.append(scalar)
    }
    return String(kept)
  }
}
