/// `omnictl version`.
enum VersionCommand {
  static let version = "0.1.0"

  static let command: CommandSpec = .init("version", "Print the version of omnictl") {
    session throws(CommandError) in
    switch session.format {
    case .json: session.print("{\"version\":\"\(version)\"}\n")
    case .table: session.print("omnictl \(version)\n")
    }
  }
}
