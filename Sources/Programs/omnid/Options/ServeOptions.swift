import Daemon
import RPCTransport

/// Everything `omnid serve` has been told, checked and complete.
struct ServeOptions: Equatable {
  /// Where the key comes from that encrypts the stored CA keys.
  enum MasterKey: Equatable {
    /// Made when it is not there yet.
    case own(path: String)
    /// Given by the operator; has to be there.
    case given(path: String)
    /// Handed over by the service manager.
    case credential(path: String)
  }

  /// What listeners with TLS present and trust.
  struct TLSSettings: Equatable {
    /// The server's certificate chain and its key; nil: omnid makes its own.
    var identity: (certificate: String, key: String)?
    /// Whether the service manager hands the key over.
    var keyIsCredential = false
    /// The CAs that let clients in; nil: omnid's own.
    var clientCA: String?
    /// What clients call the server.
    var names: [String] = []

    static func == (a: Self, b: Self) -> Bool {
      a.identity?.certificate == b.identity?.certificate && a.identity?.key == b.identity?.key
        && a.keyIsCredential == b.keyIsCredential && a.clientCA == b.clientCA && a.names == b.names
    }

    /// The files that are read again when they change.
    var files: [String] {
      (identity.map { [$0.certificate, $0.key] } ?? []) + (clientCA.map { [$0] } ?? [])
    }
  }

  /// Whose the files of Unix sockets are.
  struct SocketRights: Equatable {
    var mode: UInt32 = 0o600
    /// The group whose members are operators.
    var group: UInt32?
  }

  var listen: [Endpoint]
  var stateDirectory: String
  var storePath: String
  var masterKey: MasterKey
  var socket: SocketRights
  /// Set when there is a listener with TLS.
  var tls: TLSSettings?
  var logFormat: LogFormat
  var logLevel: LogLevel
  var limits: ServingLimits
  /// Nil: no backups are made.
  var backup: BackupSettings?
  /// Where files say which authorities have to be trusted; nil: nowhere.
  var trustBundleDirectory: String?

  /// Flags go before the environment, that before the configuration file, that before the defaults.
  ///
  /// - Parameter readFile: reads the configuration file, if one is named.
  init(
    _ arguments: [String], _ facts: ProcessFacts,
    readFile: (String) throws(UsageError) -> [UInt8]
  ) throws(UsageError) {
    var values = try SettingValues.flags(arguments)
    values.fill(from: try SettingValues.variables(facts.environment))
    if let path = values[.config]?.texts[0] {
      values.fill(from: try SettingValues.file(try readFile(path), path: path))
    }
    try self.init(values, facts)
  }

  init(_ values: SettingValues, _ facts: ProcessFacts) throws(UsageError) {
    let defaults = Defaults(facts)
    if let directory = values[.stateDirectory]?.texts[0] {
      stateDirectory = directory
    } else {
      stateDirectory = try defaults.stateDirectory()
    }
    storePath =
      try values[.store].map(Self.storePath) ?? stateDirectory + "/" + Defaults.storeName
    if let file = values[.masterKeyFile]?.texts[0] {
      masterKey = .given(path: file)
    } else if let credential = defaults.masterKeyCredential(exists: PrivateFiles.exists) {
      masterKey = .credential(path: credential)
    } else {
      masterKey = .own(path: stateDirectory + "/" + Defaults.masterKeyName)
    }
    listen = try values[.listen].map(Self.endpoints) ?? [defaults.endpoint()]
    logFormat = try values[.logFormat].map(Self.logFormat) ?? .text
    logLevel = try values[.logLevel].map(Self.logLevel) ?? .info
    limits = try ServingLimits(values)
    socket = try Self.socketRights(values)
    tls = try Self.tlsSettings(values, listen, defaults)
    backup = try Self.backupSettings(values)
    trustBundleDirectory = values[.trustBundleDirectory]?.texts[0]
  }

  private static func storePath(_ value: SettingValues.Value) throws(UsageError) -> String {
    let text = value.texts[0]
    guard text.hasPrefix("sqlite:"), text.utf8.count > "sqlite:".utf8.count else {
      throw UsageError("\(value.origin): '\(text)' is not written sqlite:PATH")
    }
    return String(text.dropFirst("sqlite:".count))
  }

  private static func endpoints(_ value: SettingValues.Value) throws(UsageError) -> [Endpoint] {
    var endpoints: [Endpoint] = []
    for text in value.texts {
      guard let endpoint = Endpoint(text) else {
        throw UsageError(
          "\(value.origin): '\(text)' is not written unix:PATH, unix-abstract:NAME or tls:HOST:PORT"
        )
      }
      switch endpoint {
      case .unix(let path):
        // What fits into a sockaddr_un, with the zero byte after it.
        guard path.utf8.count <= 107 else {
          throw UsageError("\(value.origin): a socket's path has at most 107 bytes: \(path)")
        }
      case .abstract(let name):
        guard name.utf8.count <= 107 else {
          throw UsageError("\(value.origin): a socket's name has at most 107 bytes: \(name)")
        }
      case .tls: break
      case .plaintext:
        throw UsageError("\(value.origin): '\(text)' is not encrypted; there are unix: and tls:")
      }
      guard !endpoints.contains(endpoint) else {
        throw UsageError("\(value.origin): '\(text)' is given more than once")
      }
      endpoints.append(endpoint)
    }
    return endpoints
  }

  private static func logFormat(_ value: SettingValues.Value) throws(UsageError) -> LogFormat {
    guard let format = LogFormat(rawValue: value.texts[0]) else {
      throw UsageError("\(value.origin): '\(value.texts[0])' is neither text nor json")
    }
    return format
  }

  private static func logLevel(_ value: SettingValues.Value) throws(UsageError) -> LogLevel {
    guard let level = LogLevel(name: value.texts[0]) else {
      throw UsageError(
        "\(value.origin): '\(value.texts[0])' is not debug, info, warning or error")
    }
    return level
  }
}
