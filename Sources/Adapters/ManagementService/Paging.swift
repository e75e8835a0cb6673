/// How much a page of a list holds.
enum PageLimits {
  static let usualSize: Int32 = 50
  static let largestSize: Int32 = 1000
  /// Bytes of items after which a page ends early: other gRPC implementations take messages up to
  /// 4 MiB unless told otherwise.
  static let bytes = 2 << 20

  /// The number of items that a `page_size` stands for.
  static func size(_ asked: Int32) -> Int {
    Int(asked == 0 ? usualSize : min(asked, largestSize))
  }
}

/// The token of a page of clusters: the name after which it begins.
enum ClusterPageToken {
  private static let prefix = "c1."

  static func text(after name: String) -> String { prefix + name }

  /// The name; nil when the text is no such token.
  static func name(_ text: String) -> String? {
    guard text.hasPrefix(prefix) else { return nil }
    let name = String(text.dropFirst(prefix.count))
    return RequestValidation.isDNSLabel(name) ? name : nil
  }
}
