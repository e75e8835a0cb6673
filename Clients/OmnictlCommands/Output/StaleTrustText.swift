internal import Schema

/// Who goes on with what the last rotations have retired.
enum StaleTrustText {
  /// How many owners are named; the rest is in the JSON.
  private static let most = 12

  /// Empty where nobody has to be restarted.
  static func text(_ status: RotationStatus, columns: Int?) -> String {
    let items = status.staleTrust.filter { !$0.counted || $0.total > 0 }
    guard !items.isEmpty else { return "" }
    return "stale trust:\n" + items.map { text($0, columns: columns) }.joined()
  }

  private static func text(_ stale: StaleTrust, columns: Int?) -> String {
    var out = ListText.text([Printable.line(stale.detail)], columns: columns)
    for holder in stale.holders.prefix(most) {
      let count = holder.kind == "talos-secret" ? "" : "\(holder.count) × "
      let line = Printable.line("\(count)\(holder.namespace) \(holder.owner): \(holder.remedy)")
      out += Paragraph.lines(line, indent: 4, hanging: 4, columns: columns).map { $0 + "\n" }
        .joined()
    }
    if stale.holders.count > most {
      out += "    and \(stale.holders.count - most) more owners (-o json has them)\n"
    }
    return out
  }
}
