import Release

/// `omnictl version`.
enum VersionCommand {
  static let command: CommandSpec = .init(
    "version", "Print the version of omnictl", isLocal: true
  ) {
    session throws(CommandError) in
    switch session.format {
    case .json: session.print("{\"version\":\"\(Release.version)\"}\n")
    case .table: session.print("omnictl \(Release.version)\n")
    }
  }
}
