internal import Glibc

/// A time as people read it.
enum CalendarTime {
  /// Unix seconds in UTC, as RFC 3339 writes them: `2036-11-26T14:05:09Z`.
  static func text(_ seconds: Int64) -> String {
    var seconds = time_t(seconds)
    var civil = unsafe tm()
    guard unsafe gmtime_r(&seconds, &civil) != nil else { return "the Unix time \(seconds)" }
    var text = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &civil)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
