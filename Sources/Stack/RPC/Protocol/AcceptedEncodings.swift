/// What a peer takes messages compressed with: the value of `accept-encoding` (RFC 9110 section 12.5.3),
/// `connect-accept-encoding` or `grpc-accept-encoding`.
struct AcceptedEncodings {
  /// The names with their weights, in the peer's order.
  private var names: [(name: Substring, weight: Double)] = []

  init(_ text: String) {
    for part in text.split(separator: ",") {
      let fields = part.split(separator: ";").map { Self.trimmed($0) }
      guard let name = fields.first, !name.isEmpty else { continue }
      var weight = 1.0
      for parameter in fields.dropFirst() where parameter.lowercased().hasPrefix("q=") {
        // What is no number is not held against the encoding.
        weight = Double(Self.trimmed(parameter.dropFirst(2))) ?? 1
      }
      names.append((name, weight))
    }
  }

  /// Whether messages may be compressed so.
  func contains(_ name: String) -> Bool {
    names.contains { $0.name == name && $0.weight > 0 }
  }

  /// The one the peer likes best, the first of equals; nil for none, also when it likes none better.
  func preferred(among compressions: [any MessageCompression]) -> (any MessageCompression)? {
    var best: (compression: any MessageCompression, weight: Double)?
    for (name, weight) in names where weight > best?.weight ?? 0 {
      if let compression = compressions.first(where: { $0.name == name }) {
        best = (compression, weight)
      }
    }
    guard let best else { return nil }
    let identity = names.first { $0.name == "identity" }?.weight ?? 0
    return identity > best.weight ? nil : best.compression
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
