import Crypto
import Daemon
import Orchestrator

/// `omnid backup`: writes a backup of the store, also while an omnid serves.
enum BackupCommand {
  /// - Returns: the exit status: 0 done, 1 failed, 2 wrong usage.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    do {
      let (own, rest) = try CommandFlags.split(arguments, ["--to", "--passphrase-file"])
      guard let path = own["--to"] else { throw UsageError("--to FILE is missing") }
      let options = try ServeOptions(rest, facts, readFile: Program.readConfiguration)
      try ProcessPrivacy.begin()
      let making = BackupMaking(
        storePath: options.storePath, masterKey: options.masterKey,
        passphraseFile: own["--passphrase-file"])
      let (contents, bytes) = try making.write(to: path)
      return CommandFlags.say(
        text(contents, bytes, path, options, hasKey: making.passphraseFile != nil))
    } catch {
      return CommandFlags.fail(error)
    }
  }

  private static func text(
    _ contents: StoreContents, _ bytes: Int, _ path: String, _ options: ServeOptions, hasKey: Bool
  ) -> String {
    let count = contents.clusters.count
    let what =
      "backed up \(count) cluster\(count == 1 ? "" : "s") at revision \(contents.revision) to \(path), "
      + "\(bytes) bytes\n"
    guard !hasKey else {
      return what
        + "the master key is in it: whoever has the file and the passphrase has the keys of these clusters, so "
        + "keep the passphrase elsewhere\n"
    }
    return what
      + "the master key is not in it: keep a copy of \(options.masterKey.path) elsewhere, because the backup does "
      + "not open without it\n"
  }
}

/// What commands of `omnid` share beside those of `serve`.
enum CommandFlags {
  /// Takes a command's own flags out, each of which has one value.
  static func split(
    _ arguments: [String], _ names: Set<String>
  ) throws(UsageError) -> (own: [String: String], rest: [String]) {
    var own: [String: String] = [:]
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
      guard own.updateValue(value, forKey: name) == nil else {
        throw UsageError("\(name) is given more than once")
      }
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
