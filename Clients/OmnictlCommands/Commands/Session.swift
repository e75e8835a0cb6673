internal import Platform
internal import ProtoCodec
internal import RPC
internal import RPCTransport
internal import Schema

/// One command while it runs: what it was asked, the server, and where its output goes.
struct Session: Sendable {
  let invocation: Invocation
  let surroundings: Surroundings
  let target: Target
  let client: RPCClient

  var endpoint: Endpoint { target.endpoint }

  init(_ invocation: Invocation, _ surroundings: Surroundings) throws(CommandError) {
    self.invocation = invocation
    self.surroundings = surroundings
    target =
      invocation.command.isLocal
      ? Target(
        endpoint: ServerAddress.standard(
          userID: surroundings.userID, variable: surroundings.variable))
      : try Target.of(invocation, surroundings)
    let interceptors: [any ClientInterceptor] =
      target.token.isEmpty ? [] : [BearerToken(token: target.token)]
    do throws(RPCError) {
      client = RPCClient(try surroundings.connect(target), interceptors: interceptors)
    } catch {
      throw CommandError(.failed, "no connection can be made: \(error.message)")
    }
  }

  var format: OutputFormat { invocation[GlobalFlags.output] }

  /// The cluster that `-n` or the argument names.
  var cluster: String {
    invocation[ClusterGroup.name] ?? invocation[ClusterGroup.nameArgument]
  }

  /// What to type for another command about the same server: `omnictl --endpoint … cluster list`.
  func line(_ command: String) -> String {
    if let context = invocation[GlobalFlags.context] {
      return "omnictl --context \(context) \(command)"
    }
    return invocation.given.contains(GlobalFlags.endpoint.spec.key)
      ? "omnictl --endpoint \(endpoint) \(command)" : "omnictl \(command)"
  }

  // MARK: Calls

  /// Makes a unary call within `--timeout`.
  func call<I, O>(_ method: Method<I, O>, _ request: I) async throws(CommandError) -> O {
    let limit = invocation[GlobalFlags.timeout]
    let options = CallOptions(timeout: limit == .zero ? nil : limit, responseMessageBytes: 64 << 20)
    do throws(RPCError) {
      return try await client.unary(method, request, options: options)
    } catch {
      throw await suggesting(failure(error))
    }
  }

  /// What a failed call means to whoever typed the command.
  func failure(_ error: RPCError) -> CommandError {
    switch error.code {
    case .unavailable where error.serverReason == nil || error.serverReason == "SERVER_DRAINING":
      unreachable(error)
    case .deadlineExceeded:
      CommandError(
        .unreachable,
        "\(endpoint) has not answered within \(GoDuration.text(invocation[GlobalFlags.timeout]))",
        hint: "a longer --timeout waits longer")
    default: CommandError(error, session: self)
    }
  }

  /// What to do about a server that does not accept this client, or is not accepted by it.
  private func untrusted(_ failure: TLSFailure, _ error: RPCError) -> CommandError? {
    let reason = error.reason(without: "\(endpoint)")
    switch failure {
    case .certificateRefused:
      return CommandError(
        .noAccess, "\(endpoint) does not let you in: \(reason)",
        hint:
          "your certificate has expired, or is of another CA: an admin of the server issues one "
          + "('omnictl access issue')")
    case .peerNotTrusted(.wrongName, _):
      return CommandError(
        .unreachable, "\(endpoint) is not trusted: \(reason)",
        hint: "--server-name of 'omnictl context add' says what its certificate is for")
    case .peerNotTrusted:
      return CommandError(
        .unreachable, "\(endpoint) is not trusted: \(reason)",
        hint: "the CA of the context is not the server's: 'omnictl context add' takes another")
    case .alert, .peerFault, .ownFault: return nil
    }
  }

  private func unreachable(_ error: RPCError) -> CommandError {
    if let failure = error.cause?.tlsFailure, let told = untrusted(failure, error) { return told }
    let elsewhere =
      invocation[GlobalFlags.endpoint] == nil ? ", or say with --endpoint where it listens" : ""
    let obstacle = error.serverReason == nil ? ServerAddress.obstacle(endpoint) : .noListener
    switch obstacle {
    case .forbidden:
      return CommandError(
        .noAccess, "you may not use \(endpoint)",
        hint: "become the user that omnid runs as, or use another --endpoint")
    case .missing:
      return CommandError(
        .unreachable, "omnid cannot be reached: there is no socket at \(endpoint)",
        hint: "start it with 'omnid serve'\(elsewhere)")
    case .noListener:
      return CommandError(
        .unreachable, "omnid cannot be reached: \(error.reason(without: "\(endpoint)"))",
        hint: "see whether 'omnid serve' runs\(elsewhere), then ask again")
    }
  }

  // MARK: Output

  func print(_ text: String) { surroundings.output.write(text) }

  /// A line on standard error, in the form of the output.
  func tell(_ line: String) {
    let line = Printable.line(line)
    switch format {
    case .json: surroundings.errors.write(JSONDocument.notice(line) + "\n")
    case .table: surroundings.errors.write(line + "\n")
    }
  }

  /// One JSON document, on a line.
  func printJSON(_ message: some Message) { print(JSONDocument.line(message) + "\n") }

  /// The same of members whose values are JSON already.
  func printJSON(_ members: [(name: String, value: String)]) {
    print(JSONDocument.object(members) + "\n")
  }
}
