import Crypto
import Daemon
import Orchestrator

/// `omnid backup`: writes a backup of the store, also while an omnid serves.
enum BackupCommand {
  /// - Returns: the exit status: 0 done, 1 failed, 2 wrong usage.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    do {
      let (own, rest) = try CommandFlags.split(
        arguments, ["--to", "--passphrase-file", "--recipient", "--recipients-file"],
        repeatable: ["--recipient"])
      guard let path = own["--to"]?.texts[0] else { throw UsageError("--to FILE is missing") }
      let options = try ServeOptions(rest, facts, readFile: Program.readConfiguration)
      let lock = try BackupLock(
        passphraseFile: own["--passphrase-file"], recipients: own["--recipient"],
        recipientsFile: own["--recipients-file"])
      try ProcessPrivacy.begin()
      let making = BackupMaking(
        storePath: options.storePath, masterKey: options.masterKey, lock: lock)
      return CommandFlags.say(text(try making.write(to: path), path, options, lock))
    } catch {
      return CommandFlags.fail(error)
    }
  }

  private static func text(
    _ made: BackupMaking.Outcome, _ path: String, _ options: ServeOptions, _ lock: BackupLock
  ) -> String {
    let count = made.contents.clusters.count
    let what =
      "backed up \(count) cluster\(count == 1 ? "" : "s") at revision \(made.contents.revision) to \(path), "
      + "\(made.bytes) bytes\n"
    switch lock {
    case .masterKey:
      return what
        + "the master key is not in it: keep a copy of \(options.masterKey.path) elsewhere, because the backup does "
        + "not open without it\n"
    case .passphrase:
      return what
        + "the master key is in it: whoever has the file and the passphrase has the keys of these clusters, so "
        + "keep the passphrase elsewhere\n"
    case .recipients:
      return what
        + "the master key is in it: whoever has the file and the identity of one of these recipients has the keys of "
        + "these clusters, so keep the identities elsewhere\n"
        + made.recipients.map { "  \($0)\n" }.joined()
    }
  }
}

/// What commands of `omnid` share beside those of `serve`.
enum CommandFlags {
  /// Takes a command's own flags out. Each has a value, and those that are repeatable several.
  static func split(
    _ arguments: [String], _ names: Set<String>, repeatable: Set<String> = []
  ) throws(UsageError) -> (own: [String: SettingValues.Value], rest: [String]) {
    var own: [String: SettingValues.Value] = [:]
    var rest: [String] = []
    var left = arguments[...]
    while let argument = left.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard names.contains(name) else {
        rest.append(argument)
        continue
      }
      guard let value = parts.count == 2 ? String(parts[1]) : left.popFirst(), !value.isEmpty else {
        throw UsageError("\(name) needs a value")
      }
      guard own[name] == nil || repeatable.contains(name) else {
        throw UsageError("\(name) is given more than once")
      }
      own[name, default: SettingValues.Value(texts: [], origin: name)].texts.append(value)
    }
    return (own, rest)
  }

  /// - Returns: the exit status.
  static func say(_ text: String) -> Int32 {
    if StandardStream.output.write(text) { return 0 }
    StandardStream.error.write("omnid: the output cannot be written\n")
    return 1
  }

  /// - Returns: the exit status.
  static func fail(_ error: any Error) -> Int32 {
    if let error = error as? UsageError {
      StandardStream.error.write("omnid: \(error.message) (see 'omnid --help')\n")
      return 2
    }
    StandardStream.error.write("omnid: \(explanation(of: error))\n")
    return 1
  }
}
