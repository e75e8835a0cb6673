/// A question to the server beside what a command is about: what it answers is good to have, and nobody waits long for it.
struct Aside {
  /// How long the server may take for all that is asked of it.
  static let patience: Duration = .milliseconds(1500)

  let session: Session

  /// - Parameter words: what the flags of the command line were given, by their keys. Those that say which server is
  ///   meant are taken from it, and from the environment.
  /// - Throws: where the line, or a context, cannot be used.
  init(_ words: [String: [String]], _ surroundings: Surroundings) throws(CommandError) {
    var values: [String: [String]] = [GlobalFlags.timeout.spec.key: ["1s"]]
    var given: Set<String> = []
    for flag in [GlobalFlags.endpoint.spec, GlobalFlags.context.spec, ClusterGroup.name.spec] {
      var title = flag.title
      if let value = words[flag.key]?.last {
        values[flag.key] = [value]
        given.insert(flag.key)
      } else if let variable = flag.environment, let value = surroundings.variable(variable),
        !value.isEmpty
      {
        values[flag.key] = [value]
        title = variable
      }
      do throws(InvalidValue) { try flag.check(values[flag.key] ?? []) } catch {
        throw CommandError(.wrongUsage, "\(title) \(error.reason)")
      }
    }
    // Any command that speaks with a server.
    let invocation = Invocation(
      path: [CommandTree.root, ClusterList.command], values: values, given: given, arguments: [:])
    session = try Session(invocation, surroundings)
  }

  /// What the question has come to; nil when that took too long.
  func ask<Answer: Sendable>(
    _ question: @escaping @Sendable (Session) async -> Answer
  ) async -> Answer? {
    let session = session
    return await withTaskGroup(of: Answer?.self) { group in
      group.addTask { await question(session) }
      group.addTask {
        try? await Task.sleep(for: Self.patience)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }
}
