/// Something that can be set: by a flag, in the environment, in the configuration file.
enum Setting: String, CaseIterable {
  case listen
  case stateDirectory = "state-dir"
  case store
  case masterKeyFile = "master-key-file"
  case socketMode = "socket-mode"
  case socketGroup = "socket-group"
  case tlsName = "tls-name"
  case tlsCertificate = "tls-cert"
  case tlsKey = "tls-key"
  case tlsClientCA = "tls-client-ca"
  case config
  case logFormat = "log-format"
  case logLevel = "log-level"
  case maxConnections = "max-connections"
  case maxConnectionsPerListener = "max-connections-per-listener"
  case maxConnectionsPerSource = "max-connections-per-source"
  case reservedConnections = "reserved-connections"
  case maxHandshakes = "max-handshakes"
  case maxStreams = "max-streams"
  case maxMessageSize = "max-message-size"
  case maxIdle = "max-idle"
  case maxAge = "max-age"
  case maxAgeGrace = "max-age-grace"
  case maxHeaderSize = "max-header-size"
  case maxRequestMemory = "max-request-memory"
  case maxResponseMemory = "max-response-memory"
  case handshakeTimeout = "handshake-timeout"
  case keepaliveInterval = "keepalive-interval"
  case keepaliveTimeout = "keepalive-timeout"
  case minPingInterval = "min-ping-interval"
  case eventLoops = "event-loops"
  case backupTo = "backup-to"
  case backupEvery = "backup-every"
  case backupKeep = "backup-keep"
  case backupPassphraseFile = "backup-passphrase-file"
  case backupRecipient = "backup-recipient"
  case backupRecipientsFile = "backup-recipients-file"
  case trustBundleDirectory = "trust-bundle-dir"
  case notifyFile = "notify-file"
  case beforeStageDirectory = "before-stage-dir"
  case hookTimeout = "hook-timeout"

  var flag: String { "--" + rawValue }

  var variable: String {
    "OMNID_" + rawValue.uppercased().replacing("-", with: "_")
  }

  /// Whether it takes several values.
  var isRepeatable: Bool { self == .listen || self == .tlsName || self == .backupRecipient }
}

/// The values of the settings, each from the place that counts most.
struct SettingValues {
  struct Value: Equatable {
    var texts: [String]
    /// How whoever set it knows it: a flag, a variable, a key in a file.
    var origin: String
  }

  private(set) var values: [Setting: Value] = [:]

  /// - Parameter origin: of the values, for messages.
  mutating func set(_ setting: Setting, _ texts: [String], origin: String) throws(UsageError) {
    guard !texts.isEmpty, texts.allSatisfy({ !$0.isEmpty }) else {
      throw UsageError("\(origin) needs a value")
    }
    guard setting.isRepeatable || (texts.count == 1 && values[setting] == nil) else {
      throw UsageError("\(origin) is given more than once")
    }
    values[setting, default: Value(texts: [], origin: origin)].texts += texts
  }

  /// Takes over what is not set yet.
  mutating func fill(from other: SettingValues) {
    values.merge(other.values) { mine, _ in mine }
  }

  /// The values of some settings alone.
  func only(_ settings: [Setting]) -> SettingValues {
    var part = SettingValues()
    part.values = values.filter { settings.contains($0.key) }
    return part
  }

  subscript(setting: Setting) -> Value? { values[setting] }

  /// Reads `--flag VALUE` and `--flag=VALUE`.
  static func flags(_ arguments: [String]) throws(UsageError) -> SettingValues {
    var values = SettingValues()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let setting = Setting.allCases.first(where: { $0.flag == name }) else {
        throw UsageError(
          argument.hasPrefix("-")
            ? "there is no flag \(name)" : "'\(argument)' is not expected here")
      }
      guard let text = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw UsageError("\(name) needs a value")
      }
      try values.set(setting, [text], origin: name)
    }
    return values
  }

  /// Reads the variables; an empty one counts as not set.
  static func variables(_ environment: [String: String]) throws(UsageError) -> SettingValues {
    var values = SettingValues()
    for setting in Setting.allCases {
      guard let text = environment[setting.variable], !text.isEmpty else { continue }
      let texts =
        setting.isRepeatable
        ? text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [text]
      try values.set(setting, texts, origin: setting.variable)
    }
    return values
  }
}
