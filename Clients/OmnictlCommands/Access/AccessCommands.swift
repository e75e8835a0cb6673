internal import ProtoCodec
internal import Schema

/// `omnictl access list|revoke`, and the group.
enum AccessCommands {
  static let group = CommandSpec(
    "access", "Who may call this server from elsewhere",
    examples: [
      "omnictl access list"
    ],
    discussion: """
      A caller is known by a client certificate or by a token, and has a role: a reader looks, an
      operator rotates and locks, an admin does everything. On the server's own machine root and the
      user that omnid runs as are admins, without either.
      """,
    subcommands: [AccessIssue.command, list, revoke])

  private static let list: CommandSpec = .init(
    "list", "List the certificates and tokens that were issued",
    examples: [
      "omnictl access list"
    ],
    discussion: "Those that have expired are listed for 30 days."
  ) { session throws(CommandError) in
    var all = ListAccessResponse()
    all.grants = try await session.allGrants()
    switch session.format {
    case .json: session.printJSON(all)
    case .table:
      session.print(
        table(
          all.grants, now: session.surroundings.now(),
          columns: session.surroundings.output.columns))
    }
  }

  static func table(_ grants: [AccessGrant], now: Timestamp, columns: Int? = nil) -> String {
    var table = TextTable("ID", "KIND", "NAME", "ROLE", "CLUSTERS", "STATE", "UNTIL", "ISSUED-BY")
    for grant in grants {
      table.add(
        grant.id, grant.kind.word, grant.name, grant.role.word,
        grant.clusters.joined(separator: ","), state(grant, now: now),
        grant.expiresAt == nil ? "" : Moment.text(grant.expiresAt), grant.issuedBy)
    }
    return table.text(columns: columns)
  }

  private static func state(_ grant: AccessGrant, now: Timestamp) -> String {
    if grant.revokedAt != nil { return "revoked" }
    guard let end = grant.expiresAt else { return "valid" }
    return end.seconds < now.seconds ? "expired" : "valid"
  }

  private static let id = ArgumentSpec(
    "ID", "a certificate's serial number or a token's id, as 'access list' shows it",
    completion: .grants)

  private static let foreign = Flag<Bool>.switched(
    "foreign", fallback: false,
    "ID is the serial number of a certificate of another CA, the one of --tls-client-ca")

  private static let revoke: CommandSpec = .init(
    "revoke", "Take a certificate or a token back, at once",
    examples: [
      "omnictl access revoke 7a3f0c2e91d84b56"
    ],
    discussion: "Its streams under way are ended, and its holder is nobody the server knows.",
    arguments: [id], flags: [foreign.spec]
  ) { session throws(CommandError) in
    var request = RevokeAccessRequest()
    request.id = session.invocation[id]
    request.foreignSerial = session.invocation[foreign]
    let answer = try await session.call(ManagementServiceMethods.revokeAccess, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      let grant = answer.grant ?? AccessGrant()
      let owner = grant.name.isEmpty ? "" : " of \(grant.name)"
      session.print(
        Printable.line(
          "\(grant.kind.word) \(grant.id)\(owner) is revoked; streams under way that were ended: "
            + "\(answer.endedCalls)") + "\n")
    }
  }
}

extension AccessKind {
  var word: String {
    switch self {
    case .certificate: "certificate"
    case .token: "token"
    default: "unknown"
    }
  }
}

extension AccessRole {
  var word: String {
    switch self {
    case .reader: "reader"
    case .operator: "operator"
    case .admin: "admin"
    default: ""
    }
  }
}
