internal import RPCTransport
internal import Schema

/// What is offered at the cursor of a command line.
///
/// Names are asked of the server that the command line itself means, and only when one is wanted. What goes wrong
/// there is nobody's business at that moment: nothing is offered then.
struct CompletionAnswer {
  /// One thing that may be typed.
  struct Candidate: Equatable, Sendable {
    var word: String
    var summary: String
  }

  /// The word after the program's name in the completion scripts.
  static let word = "__complete"
  /// In place of candidates: the shell offers files.
  static let files = ":files"

  /// What a completion script gets, a line for each candidate: the word, a tab, what it is.
  static func text(_ words: [String], _ surroundings: Surroundings) async -> String {
    let line = CompletionLine(words, root: CommandTree.root)
    if line.wanted == .value(.files) { return files + "\n" }
    return await candidates(line, surroundings)
      .filter { $0.word.hasPrefix(line.typed) && isPlain($0.word) }
      .map { "\(line.prefix)\($0.word)\t\(Printable.line($0.summary))\n" }.joined()
  }

  /// Whether every shell takes the word as it is.
  private static func isPlain(_ word: String) -> Bool {
    word.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "-._:/@+=,".utf8.contains(byte)
      }
    }
  }

  private static func candidates(
    _ line: CompletionLine, _ surroundings: Surroundings
  ) async -> [Candidate] {
    switch line.wanted {
    case .commands: line.command.subcommands.map { Candidate(word: $0.name, summary: $0.summary) }
    case .flags: flags(line)
    case .value(.nothing), .value(.files): []
    case .value(.words(let words)): words.map { Candidate(word: $0, summary: "") }
    case .value(.contexts): contexts(surroundings)
    case .value(let kind): await names(kind, line, surroundings)
    }
  }

  private static func flags(_ line: CompletionLine) -> [Candidate] {
    var all: [Candidate] = []
    for flag in line.flags {
      if let short = flag.short, line.typed == "-" {
        all.append(Candidate(word: "-\(short)", summary: flag.summary))
      }
      all.append(Candidate(word: "--\(flag.name)", summary: flag.summary))
    }
    return all + [Candidate(word: "--help", summary: "show this help")]
  }

  private static func contexts(_ surroundings: Surroundings) -> [Candidate] {
    guard let contents = try? ContextFile(surroundings).read() else { return [] }
    return contents.contexts.map { name, node in
      let endpoint = (try? ServerContext(node))?.endpoint.description ?? ""
      return Candidate(word: name, summary: endpoint)
    }
  }

  // MARK: Names that the server knows

  private static func names(
    _ kind: FlagSpec.Completion, _ line: CompletionLine, _ surroundings: Surroundings
  ) async -> [Candidate] {
    guard let aside = try? Aside(line.values, surroundings) else { return [] }
    let cluster = line.cluster ?? ""
    return await aside.ask { session in
      (try? await ask(kind, cluster: cluster, session)) ?? []
    } ?? []
  }

  private static func ask(
    _ kind: FlagSpec.Completion, cluster: String, _ session: Session
  ) async throws(CommandError) -> [Candidate] {
    switch kind {
    case .clusters:
      return try await session.allClusters().map {
        Candidate(word: $0.name, summary: $0.talosVersion)
      }
    case .machines:
      return try await session.getCluster().machines.map {
        Candidate(word: $0.name, summary: "\(MachineList.role($0.controlPlane)) \($0.address)")
      }
    case .marks:
      return try await session.getCluster().marks.map { mark in
        Candidate(word: mark.name, summary: mark.detail)
      }
    case .rotations:
      var request = ListRotationsRequest()
      request.cluster = cluster
      request.pageSize = 50
      return try await session.call(ManagementServiceMethods.listRotations, request).rotations.map {
        Candidate(
          word: $0.rotationID,
          summary: "\($0.component.word) \($0.state.word) \(Moment.text($0.startedAt))")
      }
    case .grants:
      return try await session.allGrants().filter { $0.revokedAt == nil }.map {
        Candidate(word: $0.id, summary: "\($0.kind.word) \($0.name) \($0.role.word)")
      }
    case .nothing, .files, .words, .contexts: return []
    }
  }
}
