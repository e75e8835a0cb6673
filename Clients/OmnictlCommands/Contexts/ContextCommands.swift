internal import Crypto
internal import RPCTransport
internal import Schema
internal import YAML

/// `omnictl context add|list|use|remove`.
enum ContextCommands {
  private static let name = ArgumentSpec(
    "NAME", "the name of the context: letters, digits, '-', '.' and '_'",
    completion: .contexts)

  static let group = CommandSpec(
    "context", "The servers that you know, and what you are known by there",
    examples: [
      "omnictl context list"
    ],
    discussion: """
      They are kept in ~/.config/omni/config.yaml (or where OMNICTL_CONFIG says), mode 0600. Commands
      use --context, else --endpoint or OMNI_ENDPOINT, else the current context, else the local socket.
      """,
    subcommands: [add, list, use, remove])

  // MARK: - add

  private static let from = Flag<String?>.text(
    "from", "FILE", completion: .files,
    "take the context out of a file that 'omnictl access issue --output-file' has written")
  private static let ca = Flag<String?>.text(
    "ca", "FILE", completion: .files, "the CA that the server's certificate leads to, PEM")
  private static let certificate = Flag<String?>.text(
    "cert", "FILE", completion: .files, "your client certificate, PEM")
  private static let key = Flag<String?>.text(
    "key", "FILE", completion: .files, "its private key, PEM")
  private static let token = Flag<String?>.text(
    "token-file", "FILE", completion: .files,
    "a file with a service-account token; - for standard input")
  private static let serverName = Flag<String?>.text(
    "server-name", "NAME", "what the server's certificate is for, if not the endpoint's host")

  private static let add: CommandSpec = .init(
    "add", "Add a context, and make it the current one",
    examples: [
      "omnictl context add prod --from alice.yaml",
      "omnictl context add prod --endpoint tls:omnid.example.org:8443 --ca ca.pem --token-file token",
    ],
    discussion: """
      Either --from FILE, or --endpoint tls:HOST:PORT with --ca and a certificate (--cert, --key) or a
      token (--token-file), or --endpoint unix:PATH. What bears the same name is replaced.
      """,
    arguments: [name],
    flags: [
      from.spec, ca.spec, certificate.spec, key.spec, token.spec, serverName.spec,
    ], isLocal: true
  ) { session throws(CommandError) in
    let invocation = session.invocation
    let name = invocation[Self.name]
    try check(name)
    let file = try ContextFile(session.surroundings)
    let contents = try file.read()
    let context: ServerContext
    if let path = invocation[from] {
      let others = [ca, certificate, key, token, serverName].map(\.spec.key)
      if let other = others.first(where: invocation.given.contains) {
        throw CommandError(
          .wrongUsage, "--from brings all of a context, so --\(other) is not expected",
          hint: "leave one of them out")
      }
      context = try issued(path)
    } else {
      context = try described(invocation)
    }
    // What cannot be used is told now, not at the next command.
    _ = try Target(context, named: name)
    try file.put(context.document(named: name), contents, makesCurrent: true)
    session.show(
      context, named: name, isCurrent: true,
      "context \(name) is for \(context.endpoint) and the current one now")
  }

  private static func check(_ name: String) throws(CommandError) {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
      default: false
      }
    }
    guard isPlain, (1...64).contains(name.utf8.count) else {
      throw CommandError(
        .wrongUsage, "'\(name)' is no name for a context",
        hint: "1 to 64 letters, digits, '-', '.' and '_'")
    }
  }

  /// The current context of another file.
  private static func issued(_ path: String) throws(CommandError) -> ServerContext {
    let text = try read(path, "context")
    do throws(YAMLError) {
      guard let root = try YAMLParser.parse(text).first, let current = root["context"]?.text,
        let node = root["contexts"]?[current]
      else { throw YAMLError(.unsupported, "it has no current context") }
      do throws(ContextFile.Failure) { return try ServerContext(node) } catch {
        throw YAMLError(.unsupported, "its context '\(current)' \(error.reason)")
      }
    } catch {
      throw CommandError(
        .failed, "there is no context to take out of '\(path)': \(error)",
        hint: "name a file that 'omnictl access issue --output-file' has written")
    }
  }

  private static func described(_ invocation: Invocation) throws(CommandError) -> ServerContext {
    guard let endpoint = invocation[GlobalFlags.endpoint] else {
      throw CommandError(
        .wrongUsage, "which server? --endpoint tls:HOST:PORT says it", hint: "or --from FILE")
    }
    var context = ServerContext(endpoint: endpoint)
    context.serverName = invocation[serverName]
    if let path = invocation[ca] { context.ca = try read(path, "CA") }
    if let path = invocation[token] {
      let words = try read(path, "token").split(whereSeparator: \.isWhitespace)
      guard words.count == 1 else {
        throw CommandError(
          .wrongUsage, "'\(path)' does not hold one token", hint: "and nothing else")
      }
      context.token = String(words[0])
    }
    switch (invocation[certificate], invocation[key]) {
    case (let certificate?, let key?):
      context.certificate = try read(certificate, "certificate")
      context.key = try read(key, "key")
    case (nil, nil): break
    default:
      throw CommandError(
        .wrongUsage, "--cert and --key belong together", hint: "give both or none")
    }
    guard case .tls = endpoint else { return context }
    guard !context.ca.isEmpty else {
      throw CommandError(
        .wrongUsage, "which CA does the server's certificate lead to? --ca FILE says it",
        hint: "'omnictl access issue' on the server's machine hands it out")
    }
    guard !context.certificate.isEmpty || !context.token.isEmpty else {
      throw CommandError(
        .wrongUsage, "what are you known by there? --cert with --key, or --token-file, says it",
        hint: "an admin of the server issues it: 'omnictl access issue'")
    }
    return context
  }

  private static func read(_ path: String, _ kind: String) throws(CommandError) -> String {
    do throws(InputFile.Failure) { return try InputFile.text(path, limit: 1 << 20) } catch {
      throw CommandError(.wrongUsage, "the \(kind) '\(path)' cannot be read: \(error.reason)")
    }
  }

  // MARK: - list, use, remove

  private static let list: CommandSpec = .init(
    "list", "List the contexts",
    examples: [
      "omnictl context list"
    ], isLocal: true
  ) {
    session throws(CommandError) in
    let file = try ContextFile(session.surroundings)
    let contents = try file.read()
    var table = TextTable("CURRENT", "NAME", "ENDPOINT", "KNOWN AS", "UNTIL")
    var objects: [String] = []
    for (name, node) in contents.contexts {
      let context = try? ServerContext(node)
      let end = context?.certificateEnd.map { Moment.text(.init(seconds: $0)) } ?? ""
      table.add(
        name == contents.current ? "*" : "", name,
        context?.endpoint.description ?? "cannot be read",
        context?.identity ?? "", end)
      objects.append(json(context, named: name, isCurrent: name == contents.current))
    }
    switch session.format {
    case .json: session.printJSON([("contexts", JSONDocument.list(objects))])
    case .table: session.print(table.text(columns: session.surroundings.output.columns))
    }
  }

  private static let use: CommandSpec = .init(
    "use", "Make a context the current one",
    examples: [
      "omnictl context use prod"
    ], arguments: [name], isLocal: true
  ) { session throws(CommandError) in
    let name = session.invocation[Self.name]
    let file = try ContextFile(session.surroundings)
    let contents = try file.read()
    let context = try contents.context(name, file)
    try file.edit(contents) { (editor) throws(YAMLError) in
      try editor.set(.string(name), at: ["context"])
    }
    session.show(
      context, named: name, isCurrent: true,
      "context \(name), for \(context.endpoint), is the current one now")
  }

  private static let remove: CommandSpec = .init(
    "remove", "Remove a context, with its key or token",
    examples: [
      "omnictl context remove prod"
    ],
    discussion: "What it was known by stays valid: 'omnictl access revoke' ends that.",
    arguments: [name], isLocal: true
  ) { session throws(CommandError) in
    let name = session.invocation[Self.name]
    let file = try ContextFile(session.surroundings)
    let contents = try file.read()
    guard contents.contexts.contains(where: { $0.name == name }) else {
      _ = try contents.context(name, file)
      return
    }
    let removed = try? contents.context(name, file)
    try file.edit(contents) { (editor) throws(YAMLError) in
      try editor.remove(at: ["contexts", .key(name)])
      if contents.current == name { try editor.remove(at: ["context"]) }
    }
    session.show(removed, named: name, isCurrent: false, "removed context \(name)")
  }

  /// What a context is in JSON; one that cannot be read has neither endpoint nor identity.
  fileprivate static func json(
    _ context: ServerContext?, named name: String, isCurrent: Bool
  ) -> String {
    JSONDocument.object([
      ("name", JSONDocument.string(name)), ("current", "\(isCurrent)"),
      ("endpoint", JSONDocument.string(context?.endpoint.description ?? "")),
      ("identity", JSONDocument.string(context?.identity ?? "")),
    ])
  }
}

extension Session {
  /// What has become of a context.
  fileprivate func show(
    _ context: ServerContext?, named name: String, isCurrent: Bool, _ text: String
  ) {
    switch format {
    case .json:
      print(ContextCommands.json(context, named: name, isCurrent: isCurrent) + "\n")
    case .table: print(Printable.line(text) + "\n")
    }
  }
}
