/// Texts of records that machines have brought in. An omnid of before took some of them without a look, so what is shown is
/// bounded: one record must not keep a list of clusters from being answered.
enum RecordedText {
  /// The text itself where it is printable ASCII and short enough; else what of it is, with `…` where it was cut.
  ///
  /// - Parameter limit: in bytes.
  static func shown(_ text: String, limit: Int) -> String {
    guard text.utf8.count > limit || !text.utf8.allSatisfy(isPrintable) else { return text }
    let kept = text.utf8.lazy.prefix(limit).map { isPrintable($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: Array(kept), as: UTF8.self) + (text.utf8.count > limit ? "…" : "")
  }

  private static func isPrintable(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) }
}
