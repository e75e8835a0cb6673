/// Which connections are open, and whether one more may be.
///
/// Each listener keeps a reserve that no other listener can use up, and no source address takes all.
struct ConnectionLedger {
  struct Rules: Equatable {
    /// Connections of all listeners.
    var total = Int.max
    /// Connections of one listener.
    var perListener = Int.max
    /// Connections that are kept for each listener.
    var reserve = 0
    /// Connections from one source address.
    var perSource = Int.max
  }

  enum Refusal: Equatable {
    case all, listener, source
  }

  private let rules: Rules
  private var open: [Int] = []
  private var sources: [String: Int] = [:]
  private(set) var count = 0

  init(_ rules: Rules) { self.rules = rules }

  /// A listener's number.
  mutating func addListener() -> Int {
    open.append(0)
    return open.count - 1
  }

  /// Takes a connection in; nil when it may be.
  mutating func take(_ listener: Int, source: String?) -> Refusal? {
    if open[listener] >= rules.perListener { return .listener }
    if let source, sources[source, default: 0] >= rules.perSource { return .source }
    // Half of all connections are whoever's comes first.
    let reserve = min(rules.reserve, rules.total / (2 * open.count))
    if open[listener] >= reserve {
      let shared = open.reduce(0) { $0 + max(0, $1 - reserve) }
      if shared >= rules.total - reserve * open.count { return .all }
    }
    open[listener] += 1
    count += 1
    if let source { sources[source, default: 0] += 1 }
    return nil
  }

  mutating func giveBack(_ listener: Int, source: String?) {
    open[listener] -= 1
    count -= 1
    guard let source, let left = sources[source] else { return }
    sources[source] = left > 1 ? left - 1 : nil
  }
}

/// Who a client is for limits: its user on this host, its IPv4 address, or the /64 of its IPv6 address, which one host has
/// for itself.
enum SourceAddress {
  /// The user on the other end of a Unix socket; nil for root and the server's own user, who may have all: they could stop
  /// the server too.
  ///
  /// - Parameter user: nil where the system does not tell.
  static func user(_ user: UInt32?, server: UInt32) -> String? {
    guard let user else { return "uid:unknown" }
    return user == 0 || user == server ? nil : "uid:\(user)"
  }

  static func key(_ host: String) -> String {
    guard host.contains(":") else { return host }
    if host.contains("."), let last = host.split(separator: ":").last { return String(last) }
    let sides = host.split(separator: "%")[0].split(
      separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
    func groups(_ text: Substring) -> [Substring] { text.split(separator: ":") }
    let head = groups(sides[0])
    let tail = sides.count == 2 ? groups(sides[1]) : []
    let zeros = Array(repeating: Substring("0"), count: max(0, 8 - head.count - tail.count))
    return (head + zeros + tail).prefix(4).joined(separator: ":") + "::/64"
  }
}
