import Daemon
import Platform
import RPCTransport

/// What holds when nothing is said: the directories that systemd has made for the service
/// (systemd.exec(5)), else the places that the XDG base directories and, for root, the file-system
/// hierarchy give.
struct Defaults {
  static let storeName = "omnid.db"
  static let masterKeyName = "master.key"
  /// The name under which systemd's LoadCredential= hands the master key over.
  static let credentialName = "omnid-master-key"

  private let facts: ProcessFacts

  init(_ facts: ProcessFacts) { self.facts = facts }

  private var places: StandardPlaces {
    StandardPlaces(userID: facts.userID) { [facts] in facts.environment[$0] }
  }

  private func directory(_ name: String) -> String? { places.directory(name) }

  /// A directory that the service manager has made. Of several, which colons separate, the first is meant.
  private func service(_ name: String) -> String? {
    facts.environment[name]?.split(separator: ":").first.map(String.init)
      .flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  func endpoint() -> Endpoint {
    .unix(path: service("RUNTIME_DIRECTORY").map { $0 + "/omnid.sock" } ?? places.socket)
  }

  func stateDirectory() throws(UsageError) -> String {
    if let directory = service("STATE_DIRECTORY") { return directory }
    if facts.userID == 0 { return "/var/lib/omnid" }
    if let state = directory("XDG_STATE_HOME") { return state + "/omnid" }
    guard let home = directory("HOME") else {
      throw UsageError("neither XDG_STATE_HOME nor HOME is set: give --state-dir")
    }
    return home + "/.local/state/omnid"
  }

  /// Whether the service manager hands a file over, which lies in its directory of credentials.
  func isCredential(_ path: String) -> Bool {
    guard let credentials = directory("CREDENTIALS_DIRECTORY") else { return false }
    return path.hasPrefix(credentials + "/") && !path.split(separator: "/").contains("..")
  }

  /// The master key that the service manager hands over; nil when it does not.
  func masterKeyCredential(exists: (String) -> Bool) -> String? {
    guard let credentials = directory("CREDENTIALS_DIRECTORY") else { return nil }
    let path = credentials + "/" + Self.credentialName
    return exists(path) ? path : nil
  }
}
