public import Rotation

/// What a target has been told of, as it outlives the process: a line for each event, its identifier and when it was
/// settled. Pure.
///
///     omnid notifications 1
///     since 1764460800
///     evt_0f… 1764460812
public struct DeliveryRecord: Sendable, Equatable {
  /// The most events that are remembered: the conditions of some 10,000 clusters, and what is news. Those that were settled
  /// first are forgotten first.
  static let limit = 50_000
  /// For how long what happened once is news.
  public static let newsTime = Duration.seconds(24 * 3600)
  /// The longest file that is read.
  public static let sizeLimit = 4 << 20
  private static let heading = "omnid notifications 1"

  /// Since when the target is told of anything: what happened before is not sent.
  public let since: Instant
  /// When each event was taken by the target, or given up.
  private(set) var settled: [String: Instant] = [:]
  /// When this process last saw the event in the records; of those that an earlier one settled, when they were read.
  private var seen: [String: Instant] = [:]

  public init(since: Instant) { self.since = since }

  /// Whether something has to be forgotten for whatever is settled next.
  var isFull: Bool { settled.count >= Self.limit }

  func isSettled(_ id: String) -> Bool { settled[id] != nil }

  /// The event is in the records still.
  mutating func see(_ id: String, at now: Instant) { if settled[id] != nil { seen[id] = now } }

  mutating func settle(_ id: String, at now: Instant) {
    settled[id] = now
    seen[id] = now
    guard settled.count > Self.limit else { return }
    let oldest = settled.min { ($0.value, $0.key) < ($1.value, $1.key) }
    if let oldest { forget(oldest.key) }
  }

  /// Forgets what the records have not shown for so long that they never will again.
  mutating func prune(at now: Instant, keeping time: Duration) {
    let limit = now.advanced(by: .zero - time)
    for (id, last) in seen where last < limit { forget(id) }
  }

  private mutating func forget(_ id: String) {
    settled[id] = nil
    seen[id] = nil
  }

  // MARK: - As a file

  public var file: [UInt8] {
    let lines = settled.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
      .map { "\($0.key) \($0.value.secondsSince1970)\n" }
    return Array(
      "\(Self.heading)\nsince \(since.secondsSince1970)\n\(lines.joined())end\n".utf8)
  }

  /// Nil for a file that is not whole, or was not written by `file`.
  public init?(file: [UInt8], readAt now: Instant) {
    guard file.count <= Self.sizeLimit else { return nil }
    var lines = String(decoding: file, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)[...]
    guard lines.popFirst() == Self.heading[...],
      let since = lines.popFirst()?.split(separator: " "),
      since.count == 2, since[0] == "since", let seconds = Int64(since[1]),
      lines.popLast() == "", lines.popLast() == "end", lines.count <= Self.limit
    else { return nil }
    self.since = Instant(secondsSince1970: seconds)
    for line in lines {
      let parts = line.split(separator: " ")
      guard parts.count == 2, parts[0].hasPrefix("evt_"), let time = Int64(parts[1]) else {
        return nil
      }
      settled[String(parts[0])] = Instant(secondsSince1970: time)
      seen[String(parts[0])] = now
    }
  }
}
