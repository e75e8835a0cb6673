import Daemon
import RPCTransport

/// What holds when nothing is said: the places that the XDG base directories and, for root, the
/// file-system hierarchy give.
struct Defaults {
  static let storeName = "omnid.db"
  static let masterKeyName = "master.key"
  /// The name under which systemd's LoadCredential= hands the master key over.
  static let credentialName = "omnid-master-key"

  private let facts: ProcessFacts

  init(_ facts: ProcessFacts) { self.facts = facts }

  private func variable(_ name: String) -> String? {
    facts.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// An XDG variable counts only when it holds an absolute path.
  private func directory(_ name: String) -> String? {
    variable(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  func endpoint() -> Endpoint {
    if facts.userID == 0 { return .unix(path: "/run/omnid/omnid.sock") }
    let runtime = directory("XDG_RUNTIME_DIR") ?? "/run/user/\(facts.userID)"
    return .unix(path: runtime + "/omnid/omnid.sock")
  }

  func stateDirectory() throws(UsageError) -> String {
    if facts.userID == 0 { return "/var/lib/omnid" }
    if let state = directory("XDG_STATE_HOME") { return state + "/omnid" }
    guard let home = directory("HOME") else {
      throw UsageError("neither XDG_STATE_HOME nor HOME is set: give --state-dir")
    }
    return home + "/.local/state/omnid"
  }

  /// The master key that the service manager hands over; nil when it does not.
  func masterKeyCredential(exists: (String) -> Bool) -> String? {
    guard let credentials = directory("CREDENTIALS_DIRECTORY") else { return nil }
    let path = credentials + "/" + Self.credentialName
    return exists(path) ? path : nil
  }
}
