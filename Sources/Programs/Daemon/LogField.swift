/// What stands beside a message in the log, under one name everywhere. docs/logging.md says what each means; a test compares
/// its table with this list.
public enum LogField: String, Sendable, CaseIterable {
  // What a line is about.
  case call, method, caller, role, cluster, rotation, component, stage, machine
  // How a call ended.
  case code, milliseconds
  case timeoutMilliseconds = "timeout_milliseconds"
  case trace, audit
  // What was issued, or revoked.
  case grant, serial, ca, holder, roles, ttl, expires
  // What else is said of rotations.
  case requester, reason, note
  case oldCA = "old_ca"
  case newCA = "new_ca"
  case hook, attempt, answer
  // Connections.
  case listener, client
  case leftOut = "left_out"
  // Notifications.
  case target, event, id, failures, dropped
  // omnid itself.
  case version, endpoint, store, directory, file, bytes, clusters, revision, recipients
  case settings, wanted, signal, lines
  case reportKey = "report_key"
  case masterKey = "master_key"
  case keyID = "key_id"
  case logLevel = "log_level"
  case letIn = "let_in"
  case error
}

/// Fields in the order in which they are written, each name once.
public struct LogFields: Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var entries: [(name: LogField, value: LogValue)]

  public init(dictionaryLiteral elements: (LogField, LogValue)...) {
    entries = []
    for (name, value) in elements { self[name] = value }
  }

  /// Nil for a field that is not there, and to leave one out.
  public subscript(name: LogField) -> LogValue? {
    get { entries.first { $0.name == name }?.value }
    set {
      let known = entries.firstIndex { $0.name == name }
      switch (known, newValue) {
      case (let index?, let value?): entries[index].value = value
      case (let index?, nil): entries.remove(at: index)
      case (nil, let value?): entries.append((name, value))
      case (nil, nil): break
      }
    }
  }

  /// The fields, and behind them others, whose values count where both have a name.
  public func with(_ others: LogFields) -> LogFields {
    var fields = self
    for (name, value) in others.entries { fields[name] = value }
    return fields
  }
}
