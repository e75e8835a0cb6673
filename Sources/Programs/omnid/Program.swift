import Daemon
import Interceptors
import Release

/// What `omnid` does with its command line.
enum Program {
  /// - Returns: the exit status: 0 done, 1 failed, 2 wrong usage.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    let words = arguments.dropFirst()
    switch words.first {
    case "serve":
      if words.contains("--help") || words.contains("-h") { return show(Usage.serve) }
      return serve(Array(words.dropFirst()), facts)
    case "rekey":
      if words.contains("--help") || words.contains("-h") { return show(RekeyCommand.usage) }
      return rekey(Array(words.dropFirst()), facts)
    case "config":
      if words.contains("--help") || words.contains("-h") { return show(Usage.program) }
      return ConfigCommand.run(Array(words.dropFirst()), facts)
    case "backup":
      if words.contains("--help") || words.contains("-h") { return show(Usage.program) }
      return BackupCommand.run(Array(words.dropFirst()), facts)
    case "restore":
      if words.contains("--help") || words.contains("-h") { return show(Usage.program) }
      return RestoreCommand.run(Array(words.dropFirst()), facts)
    case "notify-test":
      if words.contains("--help") || words.contains("-h") { return show(Usage.program) }
      TerminationSignals.ignorePipes()
      return NotifyTestCommand.run(Array(words.dropFirst()), facts)
    case "version", "--version":
      return words.count == 1
        ? show("omnid \(Release.version)\n") : refuse("\(words.first!) stands alone")
    case "help", "--help", "-h":
      return show(Usage.program)
    case nil:
      return refuse("a command is missing, such as 'omnid serve'")
    case let word?:
      return refuse(
        "there is no command '\(word)'; there are serve, rekey, config, backup, restore, notify-test and version"
      )
    }
  }

  private static func show(_ text: String) -> Int32 {
    if StandardStream.output.write(text) { return 0 }
    StandardStream.error.write("omnid: the output cannot be written\n")
    return 1
  }

  private static func refuse(_ problem: String) -> Int32 {
    StandardStream.error.write("omnid: \(problem) (see 'omnid --help')\n")
    return 2
  }

  private static func rekey(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    TerminationSignals.block()
    Task { ProcessFacts.end(await RekeyCommand.run(arguments, facts)) }
    return 128 + nextEnd {}
  }

  /// Reads the file that `--config` names.
  static func readConfiguration(_ path: String) throws(UsageError) -> [UInt8] {
    do throws(DaemonError) { return try PrivateFiles.read(path) } catch {
      throw UsageError("the configuration file cannot be read: \(error.message)")
    }
  }

  /// This thread waits for signals; everything else happens on others.
  private static func serve(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    var options: ServeOptions
    do throws(UsageError) {
      options = try ServeOptions(arguments, facts, readFile: readConfiguration)
    } catch {
      return refuse(error.message)
    }
    TerminationSignals.block()
    DescriptorLimit.raise()
    let logger = Logger(level: options.logLevel, format: options.logFormat)
    let told = options
    let wanted = options.limits.connections
    if options.limits.fit(descriptors: DescriptorLimit.current) {
      logger.warning(
        "fewer connections are let in than --max-connections says, because the process may have no more files open "
          + "(ulimit -n, LimitNOFILE=)",
        [.wanted: .integer(Int64(wanted)), .letIn: .integer(Int64(options.limits.connections))])
    }
    let stop = OneTimeEvent()
    let (reloads, reload) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    Task {
      let reload = ConfigurationReload(told: told, logger: logger) { () throws(UsageError) in
        try ServeOptions(arguments, facts, readFile: readConfiguration)
      }
      let server = Server(
        options: options, facts: facts, logger: logger, reloads: reloads, reload: reload)
      ProcessFacts.end(await server.run(until: stop))
    }
    let first = nextEnd { reload.yield() }
    logger.info("stopping", [.signal: .integer(Int64(first))])
    stop.happen()
    let second = nextEnd {}
    logger.warning("ended by a second signal", [.signal: .integer(Int64(second))])
    return 128 + second
  }

  /// Waits for the next signal that asks for the end.
  ///
  /// - Parameter reload: called for each signal that asks for something else.
  private static func nextEnd(_ reload: () -> Void) -> Int32 {
    while true {
      let signal = TerminationSignals.wait()
      if !TerminationSignals.isReload(signal) { return signal }
      reload()
    }
  }
}
