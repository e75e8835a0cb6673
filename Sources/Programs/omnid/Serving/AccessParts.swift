import Access
import AccessControl
import Crypto
import Daemon
import Interceptors
import ManagementService
import Orchestrator
import RPC
import RPCTransport
import Release
import Rotation
import Synchronization

/// Who may call: what the store says of it, how callers are known, and what they are refused by.
final class AccessParts: Sendable {
  let authority: APIAuthority
  let desk: AccessDesk
  let identification: CallerIdentification
  let refusals: RefusalTrail
  let sessions: DashboardSessions
  private let cookie: SessionCookie
  private let store: any AccessStore
  private let contents: AccessContents
  /// The CA as long as it is not stored.
  private let newAuthority: SealedAPIAuthority?
  private let listening = Mutex((server: RPCServer?.none, endpoints: [String]()))

  /// Reads what the store holds, and makes a CA where there is none. Nothing is written before the whole store has been
  /// read: see `begin`.
  init(
    _ options: ServeOptions, _ facts: ProcessFacts, store: any AccessStore, sealer: Sealer,
    audit: AuditTrail, clock: any OrchestratorClock
  ) async throws {
    self.store = store
    contents = try await store.accessContents()
    newAuthority =
      contents.authority == nil ? try APIAuthority.make(sealer, now: clock.now()) : nil
    authority = try APIAuthority(
      contents.authority ?? newAuthority!, sealer: sealer,
      signsCertificates: options.tls?.clientCA == nil)
    let registry = GrantRegistry()
    desk = AccessDesk(store: store, mint: authority, registry: registry, clock: clock)
    sessions = DashboardSessions(mint: DashboardSecrets(), registry: registry, clock: clock)
    // omnid's own CA is kept in the store: the name stays the same as long as that does.
    cookie = SessionCookie(server: authority.certificate.fingerprint)
    identification = CallerIdentification(
      users: LocalUsers(owner: facts.userID, operators: options.socket.group),
      registry: registry, mint: authority, sessions: sessions, cookie: cookie,
      now: { clock.now().secondsSince1970 })
    refusals = RefusalTrail(audit: audit, clock: clock)
  }

  /// Keeps a CA that was made, and knows callers by what was issued to them. To be called when the whole store has been
  /// read, and before calls are let in.
  func begin() async throws {
    if let newAuthority { try await store.commit([.putAuthority(newAuthority)]) }
    await desk.load(contents)
  }

  /// What stands around every call.
  var authorization: Authorization {
    Authorization(
      identify: { [identification] in identification.identify($0, $1) },
      registry: desk.registry, refusals: refusals,
      now: { WallClock.nanosecondsSince1970() / 1_000_000_000 })
  }

  /// The caller, for the log.
  @Sendable func logged(_ call: ServerCall) -> LoggedCaller? {
    identification.identify(call).caller.map { LoggedCaller(name: $0.name, role: $0.role?.name) }
  }

  /// - Parameter serverCA: PEM.
  func serving(serverCA: @escaping @Sendable () -> String) -> AccessServing {
    AccessServing(
      desk: desk, refusals: refusals, serverCA: serverCA,
      endpoints: { [self] in listening.withLock { $0.endpoints } },
      revoked: { [self] id in
        let server = listening.withLock { $0.server }
        server?.drainConnections { [identification] in identification.serial($0) == id }
      })
  }

  /// - Parameter fingerprint: of the certificate that the server presents.
  func dashboard(fingerprint: @escaping @Sendable () -> String) -> DashboardServing {
    DashboardServing(
      sessions: sessions, version: Release.version, certificateFingerprint: fingerprint,
      cookie: cookie.setting, isFromOwnPage: cookie.isFromOwnPage)
  }

  /// The server that callers come to; nil: none any more.
  func listens(_ server: RPCServer?) { listening.withLock { $0.server = server } }

  /// The server that callers come to; nil while there is none.
  var server: RPCServer? { listening.withLock { $0.server } }

  /// Where callers from elsewhere come in.
  func listens(at endpoints: [String]) { listening.withLock { $0.endpoints += endpoints } }
}
