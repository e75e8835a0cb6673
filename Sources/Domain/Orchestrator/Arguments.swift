import Rotation

/// What may be asked: lengths and forms of arguments. Each failure names the argument.
enum Arguments {
  static let requestIDLimit = 128
  static let reasonLimit = 1024
  static let requesterLimit = 256
  static let talosconfigLimit = 1 << 20
  static let contextLimit = 253
  static let pageSizeDefault = 50
  static let pageSizeLimit = 1000
  static let longestValidity = Duration.seconds(366 * 24 * 3600)

  /// A name for a new cluster: a DNS label.
  static func newName(_ name: String) throws(OrchestratorError) {
    let allowed = name.utf8.allSatisfy {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
    }
    guard (1...63).contains(name.utf8.count), allowed, !name.hasPrefix("-"), !name.hasSuffix("-")
    else {
      throw .invalid(
        "cluster", "must be 1 to 63 lower-case letters, digits and '-', not '-' at either end")
    }
  }

  /// The name of a cluster that is asked for; whether there is one is another question.
  static func name(_ name: String) throws(OrchestratorError) {
    guard !name.isEmpty else { throw .invalid("cluster", "must not be empty") }
    try text(name, "cluster", limit: contextLimit)
  }

  /// Text for people, or none: bounded, without control characters but line feeds and tabs.
  static func text(
    _ text: String, _ argument: String, limit: Int
  ) throws(OrchestratorError) {
    guard text.unicodeScalars.count <= limit else {
      throw .invalid(argument, "must not be longer than \(limit) characters")
    }
    let control = text.unicodeScalars.contains {
      ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || $0.value == 0x7F
    }
    guard !control else { throw .invalid(argument, "must not hold control characters") }
  }

  static func talosconfig(_ text: String, context: String?) throws(OrchestratorError) {
    guard !text.isEmpty else { throw .invalid("talosconfig", "must not be empty") }
    guard text.utf8.count <= talosconfigLimit else {
      throw .invalid("talosconfig", "must not be longer than \(talosconfigLimit) bytes")
    }
    try self.text(context ?? "", "context", limit: contextLimit)
  }

  static let endpointLimit = 16

  static func endpoints(_ endpoints: [String]) throws(OrchestratorError) {
    guard endpoints.count <= endpointLimit else {
      throw .invalid("endpoints", "must not be more than \(endpointLimit)")
    }
    for endpoint in endpoints { try text(endpoint, "endpoints", limit: contextLimit) }
  }

  static func validity(_ ttl: Duration) throws(OrchestratorError) {
    guard ttl > .zero, ttl <= longestValidity else {
      throw .invalid("ttl", "must be more than nothing and at most 366 days")
    }
  }

  static func pageSize(_ size: Int) throws(OrchestratorError) -> Int {
    guard size >= 0 else { throw .invalid("page_size", "must not be negative") }
    return size == 0 ? pageSizeDefault : min(size, pageSizeLimit)
  }

  /// Reads back what `pageToken` wrote: the lowest ordinal that has been shown.
  static func ordinal(pageToken: String) throws(OrchestratorError) -> UInt64? {
    guard !pageToken.isEmpty else { return nil }
    guard pageToken.hasPrefix(pageTokenPrefix),
      let ordinal = UInt64(pageToken.dropFirst(pageTokenPrefix.count), radix: 36)
    else {
      throw .invalid("page_token", "is not one that was given out: begin with the first page")
    }
    return ordinal
  }

  static func pageToken(before ordinal: UInt64) -> String {
    pageTokenPrefix + String(ordinal, radix: 36)
  }

  private static let pageTokenPrefix = "r1."
}
