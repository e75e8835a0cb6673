import Crypto
import Orchestrator
import RPC
import RPCTransport

/// Who we are and whom we trust, on one connection.
struct TLSClient: Sendable {
  var identity: Identity
  /// Exactly those; no system's roots. Empty: the server is not verified, which only a probe may do
  /// that sends nothing and believes nothing.
  var roots: [Certificate]
  /// Made of both already, where they are used again and again; nil: made for each channel.
  var context: TLSContext?
  /// Whether a server has to prove that it is the host dialled.
  var verifiesName = true

  init(identity: Identity, roots: [Certificate], context: TLSContext? = nil) {
    self.identity = identity
    self.roots = roots
    self.context = context
  }

  /// The same client, to whom a server need only show a certificate of one of the roots. Only for asking what answers at an
  /// address: whoever has any certificate of the cluster may answer.
  var withoutName: TLSClient {
    var client = TLSClient(identity: identity, roots: roots)
    client.verifiesName = false
    return client
  }

  /// What connections are made of. The name that a server has to prove is a connection's own.
  ///
  /// - Throws: `.internalError` where TLS cannot be set up.
  static func context(
    of identity: Identity, trusting roots: [Certificate], verifiesName: Bool = true
  ) throws(DriverError) -> TLSContext {
    do {
      return try TLSContext(
        TLSConfiguration(
          role: .client, identity: identity, trustRoots: roots,
          peerVerification: roots.isEmpty ? .none : .required, alpn: ["h2"],
          verifiesName: verifiesName))
    } catch {
      throw DriverError(.internalError, "TLS cannot be set up: \(error.message)")
    }
  }

  /// A channel over HTTP/2 and TLS whose server has to prove that it is the host dialled, unless `verifiesName` is false.
  ///
  /// - Parameter reconnects: whether a connection that was lost is made anew; see `ChannelConfiguration.reconnects`.
  func channel(
    to host: String, _ port: Int, connectTimeout: Duration, reconnects: Bool = true
  ) throws(DriverError) -> SocketChannel {
    var configuration = ChannelConfiguration()
    configuration.reconnects = reconnects
    configuration.connectTimeout = connectTimeout
    configuration.backoff = .eager
    let context =
      if let context {
        context
      } else {
        try Self.context(of: identity, trusting: roots, verifiesName: verifiesName)
      }
    do {
      return try SocketChannel(
        .tls(host: host, port: port), tls: context, serverName: host, configuration: configuration)
    } catch { throw DriverError(.internalError, error.message) }
  }
}

/// A connection to one apid, and no second one: whoever has shown the identity over it answers all calls. Once it has ended
/// the calls fail as unreachable, because another machine may hold the address by then.
///
/// Made for the calls of one step and closed after it, so that every step proves the trust as it is
/// now: a connection from before a change would outlive it.
enum TalosConnection {
  /// Opens a connection, lends it, and closes it whatever happens.
  ///
  /// The machine's certificate must chain to one of the roots and, unless `tls` says otherwise, name the host that was
  /// dialled.
  static func with<Result: Sendable>(
    _ endpoint: TalosEndpoint, _ tls: TLSClient, timeout: Duration,
    _ body: (RPCClient) async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    let channel: SocketChannel
    do {
      channel = try tls.channel(
        to: endpoint.host, endpoint.port, connectTimeout: timeout, reconnects: false)
    } catch { throw .unusable(error) }
    defer { channel.close() }
    return try await body(RPCClient(channel))
  }
}
