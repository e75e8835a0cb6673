internal import Schema

/// `omnictl cluster -n NAME talosconfig`.
enum TalosconfigCommand {
  private static let role = Flag<[String]>.list(
    "role", "ROLE",
    completion: .words(["os:admin", "os:operator", "os:reader", "os:etcd:backup"]),
    "a Talos role its certificate bears, may be repeated (default os:admin)")

  static let command: CommandSpec = .init(
    "talosconfig", "Issue a fresh talosconfig",
    examples: [
      "omnictl cluster -n prod talosconfig --output-file ~/.talos/config --merge",
      "omnictl cluster -n prod talosconfig --role os:reader --ttl 1h > talosconfig",
    ],
    discussion: """
      It holds a new private key.

      \(CredentialLifetime.text(.talosCA, server: "a control plane"))
      """,
    flags: CredentialFile.flags + [role.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = TalosconfigRequest()
    request.cluster = session.cluster
    request.roles = session.invocation[role]
    request.ttl = try CredentialFile.lifetime(session)
    request.breakGlass = CredentialFile.isForEmergencies(session)
    let destination = try CredentialFile.destination(TalosconfigMerge.self, session)
    let answer = try await session.call(ManagementServiceMethods.talosconfig, request)
    var withoutText = answer
    withoutText.talosconfig = ""
    CredentialFile.tellOfMark(session)
    try destination.deliver(
      answer.talosconfig, expires: answer.expiresAt, answer: answer, withoutText: withoutText,
      session)
  }
}
