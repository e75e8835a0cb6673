internal import ProtoCodec
internal import Schema

/// Who holds credentials of the CA that a rotation retires.
enum RetiringCredentialsText {
  /// How many holders are named; the rest is in the JSON.
  private static let most = 12

  /// Credentials that one holder has with the same roles.
  private struct Holding {
    var holder: String
    var roles: [String]
    var count = 0
    var last: Timestamp?
  }

  /// A line for the view of a rotation that is under way; nil where nobody holds any.
  static func line(_ status: RotationStatus) -> String? {
    let holdings = holdings(status)
    guard !holdings.isEmpty else { return nil }
    var names: [String] = []
    for holding in holdings where !names.contains(holding.holder) { names.append(holding.holder) }
    let shown = names.prefix(3).joined(separator: ", ")
    let others = names.count > 3 ? " and \(names.count - 3) more" : ""
    return "\(number(status, holdings)) from the CA that goes: fresh ones for \(shown)\(others)"
  }

  /// Who holds them, a line for each; empty where nobody does.
  static func text(_ status: RotationStatus, columns: Int?) -> String {
    let holdings = holdings(status)
    guard !holdings.isEmpty else { return "" }
    let refused = status.isInProgress ? "to be refused when the rotation is over" : "refused now"
    var lines = holdings.prefix(most).map { holding in
      let roles = holding.roles.isEmpty ? "" : " (\(holding.roles.joined(separator: ", ")))"
      let many = holding.count > 1 ? "\(holding.count) × " : ""
      let last = holding.count > 1 ? "the last ends" : "ends"
      return "\(many)\(holding.holder)\(roles), \(last) \(Moment.text(holding.last))"
    }
    if holdings.count > most {
      lines.append("and \(holdings.count - most) more holders (-o json has them)")
    }
    if status.retiringCredentialsUnlisted > 0 {
      lines.append(
        "and \(status.retiringCredentialsUnlisted) more that end earlier (omnictl audit has them)")
    }
    return "credentials of the retired CA, \(refused):\n"
      + ListText.text(lines.map(Printable.line), columns: columns)
  }

  private static func number(_ status: RotationStatus, _ holdings: [Holding]) -> String {
    let count =
      holdings.reduce(0) { $0 + $1.count } + Int(max(status.retiringCredentialsUnlisted, 0))
    let kind = status.component == .talosCA ? "talosconfig" : "kubeconfig"
    return count == 1 ? "omnid has issued 1 \(kind)" : "omnid has issued \(count) \(kind)s"
  }

  /// Those that had not ended at the status' time, by holder.
  private static func holdings(_ status: RotationStatus) -> [Holding] {
    var holdings: [Holding] = []
    let now = status.updatedAt?.seconds ?? 0
    for credential in status.retiringCredentials where (credential.expiresAt?.seconds ?? 0) > now {
      let index =
        holdings.firstIndex {
          $0.holder == credential.holder && $0.roles == credential.roles
        } ?? holdings.count
      if index == holdings.count {
        holdings.append(Holding(holder: credential.holder, roles: credential.roles))
      }
      holdings[index].count += 1
      if (credential.expiresAt?.seconds ?? 0) > (holdings[index].last?.seconds ?? 0) {
        holdings[index].last = credential.expiresAt
      }
    }
    return holdings
  }
}
