import Release
internal import Schema

/// `omnictl version`, and `omnictl --version`.
enum VersionCommand {
  static let command: CommandSpec = .init(
    "version", "Show the versions of omnictl and of the server",
    examples: [
      "omnictl version",
      "omnictl --context prod version -o json",
    ],
    discussion: "A server that does not answer in time changes nothing about the exit code.",
    isLocal: true
  ) { session throws(CommandError) in
    let server = await Server.ask(session)
    switch session.format {
    case .json:
      session.printJSON([
        ("version", JSONDocument.string(Release.version)),
        (
          "server",
          JSONDocument.object([
            ("endpoint", JSONDocument.string(server.endpoint)),
            ("version", JSONDocument.string(server.version)),
            ("problem", JSONDocument.string(server.problem)),
          ])
        ),
      ])
    case .table:
      let place = server.endpoint.isEmpty ? "" : " at \(server.endpoint)"
      let told =
        server.problem.isEmpty
        ? "\(server.version)\(place)" : "unknown\(place): \(server.problem)"
      session.print("omnictl \(Release.version)\n" + Printable.line("omnid   \(told)") + "\n")
    }
  }

  /// What the server that the command line means has told.
  private struct Server: Sendable {
    var endpoint = ""
    var version = ""
    /// Why there is no version; empty when there is one.
    var problem = ""

    static func ask(_ session: Session) async -> Server {
      var server = Server()
      let aside: Aside
      do throws(CommandError) {
        aside = try Aside(session.invocation.values, session.surroundings)
      } catch {
        server.problem = error.message
        return server
      }
      server.endpoint = "\(aside.session.endpoint)"
      let answer = await aside.ask { session -> Server in
        var server = Server()
        do throws(CommandError) {
          server.version = try await session.call(
            ManagementServiceMethods.getDashboardSession, GetDashboardSessionRequest()
          ).serverVersion
        } catch {
          server.problem =
            error.status == "UNIMPLEMENTED" ? "it is 0.1.0 or older" : error.message
        }
        return server
      }
      server.version = answer?.version ?? ""
      server.problem =
        answer?.problem ?? "it has not answered within \(Aside.patience.components.seconds + 1)s"
      return server
    }
  }
}
