/// Which page of a list is wanted.
struct PageRequest {
  /// What the items of a list are in order of, as its page tokens begin.
  enum Order: String {
    case ordinal = "r1."
    case name = "c1."
  }

  static let usualSize = 50
  static let largestSize = 1000

  var size: Int
  var token: String
  var order: Order

  /// How many items a page has at most.
  var limit: Int { size == 0 ? Self.usualSize : min(size, Self.largestSize) }

  /// What the last item of the page before was known by; nil on the first page, and for a token that was never given
  /// out.
  var after: String? {
    guard token.hasPrefix(order.rawValue) else { return nil }
    let text = String(token.dropFirst(order.rawValue.count))
    let isGood =
      switch order {
      case .ordinal: UInt64(text, radix: 36) != nil
      case .name: Arguments.isDNSLabel(text)
      }
    return isGood ? text : nil
  }

  var ordinal: UInt64? { after.flatMap { UInt64($0, radix: 36) } }

  static func token(after ordinal: UInt64) -> String {
    Order.ordinal.rawValue + String(ordinal, radix: 36)
  }
}

/// A page of clusters, in the order of their names.
public struct ClusterPage: Sendable, Hashable {
  public var clusters: [ClusterRecord]
  /// Opaque; empty on the last page.
  public var nextPageToken: String

  public init(clusters: [ClusterRecord], nextPageToken: String) {
    self.clusters = clusters
    self.nextPageToken = nextPageToken
  }

  /// - Parameter clusters: those from where the page begins on, one more than the page holds where there are as many.
  init(_ clusters: [ClusterRecord], _ request: PageRequest) {
    self.clusters = Array(clusters.prefix(request.limit))
    nextPageToken =
      clusters.count > request.limit ? Self.token(after: self.clusters.last?.name ?? "") : ""
  }

  /// The token of the page that begins after a cluster: for whoever shows fewer than the page has.
  public static func token(after name: String) -> String {
    PageRequest.Order.name.rawValue + name
  }
}
