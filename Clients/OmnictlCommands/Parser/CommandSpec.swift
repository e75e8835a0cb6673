/// One command of the tree: a group of others, or one that does something.
struct CommandSpec: Sendable {
  typealias Action = @Sendable (Session) async throws(CommandError) -> Void

  let name: String
  /// One line, for the list of commands.
  let summary: String
  /// What help says beyond it.
  let discussion: String
  /// Whole command lines, as somebody would type them.
  let examples: [String]
  /// What is given without a flag, in order.
  let arguments: [ArgumentSpec]
  /// Its own flags; those of the commands above it may be given too.
  let flags: [FlagSpec]
  /// Whether it needs, can do without, or refuses `--name` of the group above it.
  let clusterFlag: ClusterFlagUse
  let subcommands: [CommandSpec]
  /// Whether it does without a server.
  let isLocal: Bool
  let action: Action?

  enum ClusterFlagUse: Sendable { case required, substitute, refused }

  /// A command that does something.
  init(
    _ name: String, _ summary: String, examples: [String], discussion: String = "",
    arguments: [ArgumentSpec] = [],
    flags: [FlagSpec] = [], clusterFlag: ClusterFlagUse = .refused, isLocal: Bool = false,
    action: @escaping Action
  ) {
    self.name = name
    self.summary = summary
    self.examples = examples
    self.discussion = discussion
    self.arguments = arguments
    self.flags = flags
    self.clusterFlag = clusterFlag
    self.subcommands = []
    self.isLocal = isLocal
    self.action = action
  }

  /// A group.
  init(
    _ name: String, _ summary: String, examples: [String], discussion: String = "",
    flags: [FlagSpec] = [],
    clusterFlag: ClusterFlagUse = .refused, subcommands: [CommandSpec]
  ) {
    self.name = name
    self.summary = summary
    self.examples = examples
    self.discussion = discussion
    self.arguments = []
    self.flags = flags
    self.clusterFlag = clusterFlag
    self.subcommands = subcommands
    self.isLocal = true
    self.action = nil
  }
}

/// Something that is given without a flag.
struct ArgumentSpec: Sendable, Equatable {
  /// As help shows it: `NAME`.
  let name: String
  let summary: String
  let completion: FlagSpec.Completion
  /// The values it may have; empty: any.
  let choices: [String]
  /// Whether it may be left out; only the last one may.
  let isOptional: Bool

  init(
    _ name: String, _ summary: String, completion: FlagSpec.Completion = .nothing,
    choices: [String] = [], isOptional: Bool = false
  ) {
    self.name = name
    self.summary = summary
    self.completion = completion
    self.choices = choices
    self.isOptional = isOptional
  }
}
