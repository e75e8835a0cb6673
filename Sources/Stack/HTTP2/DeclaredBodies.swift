/// The bodies whose `content-length` was given, and what of them has not come yet.
///
/// A body that is longer or shorter than it says is malformed (RFC 9113 section 8.1.1). nghttp2 counts
/// where it checks the fields too; sessions that check them themselves count here.
struct DeclaredBodies {
  private var missing: [Int32: Int] = [:]

  var isEmpty: Bool { missing.isEmpty }

  mutating func declare(_ stream: Int32, bytes: Int) { missing[stream] = bytes }

  /// Whether the body is still within what it says.
  mutating func take(_ stream: Int32, bytes: Int) -> Bool {
    guard let left = missing[stream] else { return true }
    missing[stream] = left - bytes
    return left >= bytes
  }

  /// Whether the body, which ends here, is as long as it says.
  mutating func end(_ stream: Int32) -> Bool { (missing.removeValue(forKey: stream) ?? 0) == 0 }
}
