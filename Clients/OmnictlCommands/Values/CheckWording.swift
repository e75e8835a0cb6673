internal import Schema

extension RotationCheck {
  /// What an open check means, so that nobody reads a check's name as good news: `new client not let
  /// in yet` instead of `new-client-accepted`.
  var obstacle: String {
    switch name {
    case "reachable": "not reachable"
    case "config-applied":
      state == .failed ? "configuration not as asked for" : "configuration not taken over yet"
    case "accepted", "root-accepted", "trustd-accepted", "api-server-accepted", "trust-refresh":
      state == .failed ? "trust list holds another CA" : "trust list not as asked for yet"
    case "listed": "configuration lists another CA"
    case "config-editable": "configuration cannot be edited"
    case "issuing": "does not issue from the right CA yet"
    case "server-leaf", "trustd-leaf", "api-server-leaf": "certificate not from the right CA yet"
    case "new-client-accepted", "client-accepted": "new client not let in yet"
    case "old-client-accepted": "old client not let in"
    case "old-refused", "kubelet-old-refused": "old client not refused yet"
    case "api-server-accepts-new": "API server does not let the new client in yet"
    case "api-server-accepts-old": "API server does not let the old client in"
    case "api-server-ready": "API server not ready"
    case "control-plane-pods": "control plane pods not ready"
    case "static-pods": "control plane not restarted with the new secrets yet"
    case "kubelet": "kubelet not ready"
    case "kubelet-client": "kubelet's certificate not from the right CA yet"
    case "node-ready": "node not ready"
    case "kube-root-ca": "root CA of pods not renewed yet"
    case "extension-authentication": "CA of aggregated API servers not renewed yet"
    case "distinct-machines": "two machines are one"
    case "coverage": "something has been left out"
    case "further-addresses": "old client not refused at another address yet"
    case "driver": "cannot be checked"
    default: state == .failed ? "\(name) fails" : "\(name) not yet"
    }
  }
}

/// How often something was done again, in words.
enum Repetition {
  /// `applied again, 2nd time` for one repetition, as the server counts the times; empty for none.
  static func text(_ count: Int32) -> String {
    guard count > 0 else { return "" }
    let time = count == .max ? count : count + 1
    return "applied again, \(ordinal(time)) time"
  }

  private static func ordinal(_ number: Int32) -> String {
    let isTeen = (11...13).contains(number % 100)
    return switch number % 10 {
    case 1 where !isTeen: "\(number)st"
    case 2 where !isTeen: "\(number)nd"
    case 3 where !isTeen: "\(number)rd"
    default: "\(number)th"
    }
  }
}
