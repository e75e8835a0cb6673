internal import Crypto
internal import ProtoCodec
internal import RPCTransport
internal import Schema

/// `omnictl access issue --name NAME --role ROLE [--ttl 8h] [--token [--cluster NAME]…]`.
enum AccessIssue {
  enum RoleWord: String, CaseIterable, Sendable {
    case reader, `operator`, admin

    var role: AccessRole {
      switch self {
      case .reader: .reader
      case .operator: .operator
      case .admin: .admin
      }
    }
  }

  private static let name = Flag<String?>.text(
    "name", "NAME", key: "holder", "whose it is: alice, or ci")

  private static let role = Flag<RoleWord>.choice("role", fallback: .reader, "what it allows")

  private static let ttl = Flag<Duration>.duration(
    "ttl", fallback: .seconds(8 * 3600), "how long it is valid, one minute to 366 days")

  private static let token = Flag<Bool>.switched(
    "token", fallback: false, "a token rather than a client certificate")

  private static let clusters = Flag<[String]>.list(
    "cluster", "NAME", completion: .clusters,
    "a cluster that the token is bound to, may be repeated (default all)")

  private static let server = Flag<String?>.text(
    "server", "URI", "where its holder finds the server: tls:HOST:PORT (default as the server says)"
  )

  private static let ca = Flag<String?>.text(
    "ca", "FILE", completion: .files,
    "the CA of the server's certificate, PEM, where that is not omnid's own")

  private static let contextName = Flag<String?>.text(
    "as", "CONTEXT", "the name of the context (default the name)")

  private static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files,
    "write the context into a new file for its holder, mode 0600, who runs 'omnictl context add "
      + "CONTEXT --from FILE' (default: into your own contexts)")

  private static let force = Flag<Bool>.switched(
    "force", fallback: false, "replace the file of --output-file, or the context of that name")

  static let command: CommandSpec = .init(
    "issue", "Issue a client certificate, or a token",
    examples: [
      "omnictl access issue --name alice --role operator --output-file alice.yaml",
      "omnictl access issue --name ci --token --cluster prod --ttl 720h --output-file ci.yaml",
    ],
    discussion: """
      The private key of a certificate is made here and leaves this machine in the file alone; the server
      sees a signing request. A token is shown to nobody but the file. The first admin is issued on the
      server's own machine, over its Unix socket.
      """,
    flags: [
      name.spec, role.spec, ttl.spec, token.spec, clusters.spec, server.spec, ca.spec,
      contextName.spec, outputFile.spec, force.spec,
    ]
  ) { session throws(CommandError) in
    try await issue(session)
  }

  private static func issue(_ session: Session) async throws(CommandError) {
    let invocation = session.invocation
    guard let name = invocation[name] else {
      throw CommandError(
        .wrongUsage, "whose is it? --name NAME says it", hint: "as in --name alice")
    }
    guard invocation[token] || invocation[clusters].isEmpty else {
      throw CommandError(
        .wrongUsage, "only a token is bound to clusters", hint: "--token issues one")
    }
    let destination = try Destination(session, context: invocation[contextName] ?? name)
    var context = ServerContext(endpoint: session.endpoint)
    if let path = invocation[ca] {
      do throws(InputFile.Failure) { context.ca = try InputFile.text(path, limit: 1 << 20) } catch {
        throw CommandError(.wrongUsage, "the CA '\(path)' cannot be read: \(error.reason)")
      }
    }
    let (grant, serverCA, endpoints) =
      invocation[token]
      ? try await issueToken(session, name, &context)
      : try await issueCertificate(session, name, &context)
    if context.ca.isEmpty { context.ca = serverCA }
    try settle(&context, endpoints, session)
    try destination.deliver(context, grant, session)
  }

  private typealias Issued = (grant: AccessGrant, serverCA: String, endpoints: [String])

  private static func issueToken(
    _ session: Session, _ name: String, _ context: inout ServerContext
  ) async throws(CommandError) -> Issued {
    var request = IssueTokenRequest()
    request.name = name
    request.role = session.invocation[role].role
    request.ttl = lifetime(session)
    request.clusters = session.invocation[clusters]
    let answer = try await session.call(ManagementServiceMethods.issueToken, request)
    context.token = answer.token
    return (answer.grant ?? AccessGrant(), answer.serverCA, answer.endpoints)
  }

  private static func issueCertificate(
    _ session: Session, _ name: String, _ context: inout ServerContext
  ) async throws(CommandError) -> Issued {
    var request = IssueCertificateRequest()
    request.name = name
    request.role = session.invocation[role].role
    request.ttl = lifetime(session)
    let key: PrivateKey
    do throws(CryptoError) {
      // Go's, Java's and BoringSSL's clients all take it.
      key = try PrivateKey.generate(.ecdsaP256)
      request.certificateRequest = try CertificateRequest(key: key, commonName: name).pem
    } catch {
      throw CommandError(.failed, "no key can be made: \(error.message)")
    }
    let answer = try await session.call(ManagementServiceMethods.issueCertificate, request)
    do throws(CryptoError) {
      // The server's word for it is not enough.
      _ = try Identity(certificates: Certificate.bundle(pem: answer.certificate), key: key)
    } catch {
      throw CommandError(
        .failed, "the server's answer is no certificate for the key: \(error.message)")
    }
    context.certificate = answer.certificate
    context.key = key.pem
    return (answer.grant ?? AccessGrant(), answer.serverCA, answer.endpoints)
  }

  private static func lifetime(_ session: Session) -> ProtoDuration {
    let (seconds, attoseconds) = session.invocation[ttl].components
    return ProtoDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }

  /// Says where the holder finds the server.
  private static func settle(
    _ context: inout ServerContext, _ endpoints: [String], _ session: Session
  ) throws(CommandError) {
    var text = session.invocation[server] ?? endpoints.first
    if text == nil, case .tls = session.endpoint { text = session.endpoint.description }
    if let text {
      guard let endpoint = Endpoint(text) else {
        throw CommandError(.wrongUsage, "--server is written tls:HOST:PORT, not '\(text)'")
      }
      context.endpoint = endpoint
    } else {
      session.tell(
        "omnictl: this server has no tls: listener (omnid serve --listen tls:HOST:PORT), so the context is for "
          + "\(session.endpoint)")
    }
    if case .tls = context.endpoint, context.ca.isEmpty {
      session.tell(
        "omnictl: the server's certificate is of a CA that it does not know itself: --ca names it to the context"
      )
    }
  }

  /// Where what was issued goes. Found out before it is asked for, so that nothing is issued for nothing.
  private struct Destination {
    let context: String
    let path: String?
    var standing: PrivateFile.Standing?
    var file: ContextFile?
    var contents = ContextFile.Contents()

    init(_ session: Session, context: String) throws(CommandError) {
      self.context = context
      path = session.invocation[outputFile]
      if let path {
        guard path != "-" else { return }
        standing = try KeyFile.standing(
          path, OmniConfigMerge.name, replacing: session.invocation[force])
      } else {
        let file = try ContextFile(session.surroundings)
        contents = try file.read()
        self.file = file
        // It may be what the caller is known by.
        guard
          !contents.contexts.contains(where: { $0.name == context }) || session.invocation[force]
        else {
          throw CommandError(
            .refused, "the context \(context) is in \(file.path) already",
            hint:
              "give another --context-name, write to a file (--output-file), or replace it with --force"
          )
        }
      }
    }

    func deliver(
      _ server: ServerContext, _ grant: AccessGrant, _ session: Session
    ) throws(CommandError) {
      let document = server.document(named: context)
      if let file {
        // Whoever issues for somebody else stays who it was.
        try file.put(document, contents, makesCurrent: false)
        return told(
          grant,
          "the context \(context) of \(file.path); 'omnictl context use \(context)' makes it the current one",
          session)
      }
      guard let path, path != "-" else {
        switch session.format {
        case .json:
          session.printJSON([
            ("grant", JSONDocument.line(grant)), ("context", JSONDocument.text(document)),
          ])
        case .table: session.print(document)
        }
        return
      }
      do throws(PrivateFile.Failure) {
        try PrivateFile.write(document, to: path, replacing: standing)
      } catch { throw CredentialFile.failure(OmniConfigMerge.name, path, error) }
      told(grant, path, session)
    }

    private func told(_ grant: AccessGrant, _ place: String, _ session: Session) {
      switch session.format {
      case .json: session.printJSON(grant)
      case .table:
        session.print(
          Printable.line(
            "issued \(grant.kind.word) \(grant.id) for \(grant.name), \(grant.role.word), valid until "
              + "\(Moment.text(grant.expiresAt)), into \(place)") + "\n")
      }
    }
  }
}
