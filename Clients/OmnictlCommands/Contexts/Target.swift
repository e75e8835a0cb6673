internal import Crypto
internal import RPC
internal import RPCTransport

/// Where a command goes, and what it shows there.
struct Target: Sendable {
  var endpoint: Endpoint
  /// For a `tls:` endpoint.
  var tls: TLSContext?
  var serverName: String?
  var token = ""
  /// The context that it is of; nil: none.
  var context: String?

  init(endpoint: Endpoint) { self.endpoint = endpoint }

  /// What the command line, the environment and the contexts say: `--context`, else `--endpoint` or its variable,
  /// else the current context, else the standard socket.
  ///
  /// A context's key and token go to its own endpoint, or to one that stands beside `--context` on the command line.
  static func of(
    _ invocation: Invocation, _ surroundings: Surroundings
  ) throws(CommandError) -> Target {
    let endpoint = invocation[GlobalFlags.endpoint]
    let isGiven = invocation.given.contains(GlobalFlags.endpoint.spec.key)
    if let name = invocation[GlobalFlags.context] {
      let file = try ContextFile(surroundings)
      var context = try file.read().context(name, file)
      if let endpoint, isGiven { context.endpoint = endpoint }
      return try Target(context, named: name)
    }
    if let endpoint {
      guard case .tls = endpoint else { return Target(endpoint: endpoint) }
      return try known(endpoint, surroundings)
    }
    if let file = try? ContextFile(surroundings) {
      let contents = try file.read()
      if let current = contents.current {
        return try Target(try contents.context(current, file), named: current)
      }
    }
    return Target(
      endpoint: ServerAddress.standard(
        userID: surroundings.userID, variable: surroundings.variable))
  }

  /// The context with that endpoint, the current one first.
  private static func known(
    _ endpoint: Endpoint, _ surroundings: Surroundings
  ) throws(CommandError) -> Target {
    let file = try ContextFile(surroundings)
    let contents = try file.read()
    let names = contents.contexts.map(\.name)
    for name in names.filter({ $0 == contents.current }) + names {
      guard let context = try? contents.context(name, file), context.endpoint == endpoint else {
        continue
      }
      return try Target(context, named: name)
    }
    throw CommandError(
      .noAccess, "no context in \(file.path) is for \(endpoint), so there is nothing to show there",
      hint: "'omnictl context add NAME --endpoint \(endpoint)' makes one")
  }

  init(_ context: ServerContext, named name: String) throws(CommandError) {
    self.init(endpoint: context.endpoint)
    self.context = name
    token = context.token
    serverName = context.serverName
    guard case .tls = endpoint else { return }
    do throws(CryptoError) {
      let roots = try Certificate.bundle(pem: context.ca)
      guard !roots.isEmpty else {
        throw CryptoError(.malformed, "it has no CA for the server's certificate")
      }
      var identity: Identity?
      if !context.certificate.isEmpty {
        identity = try Identity(
          certificates: Certificate.bundle(pem: context.certificate),
          key: PrivateKey(pem: context.key))
      }
      tls = try TLSContext(
        TLSConfiguration(role: .client, identity: identity, trustRoots: roots, alpn: ["h2"]))
    } catch {
      throw CommandError(
        .failed, "the context '\(name)' cannot be used: \(error.message)",
        hint: "'omnictl context add \(name)' makes it anew")
    }
  }
}

/// Shows a token with each call.
struct BearerToken: ClientInterceptor {
  let token: String

  func intercept(
    path: String, options: CallOptions, next: (CallOptions) async throws -> Void
  ) async throws {
    var options = options
    options.metadata.append("authorization", "Bearer \(token)")
    try await next(options)
  }
}
