import AccessControl
import Crypto
import Daemon
import RPC
import RPCTransport
import Rotation
import Synchronization

/// What `tls:` listeners present and trust: omnid's own CA, or files that are read again when they change. A change holds
/// for connections made after it; none is dropped.
///
/// A client without a certificate is let as far as its first call, which may show a token; one with a bad certificate
/// is refused in the handshake.
final class RemoteAccess: Sendable {
  private struct State {
    var context: TLSContext
    /// SHA-256 of the certificate that the context presents.
    var fingerprint: String
    /// Unix seconds; nil while the certificate is a file's.
    var renewal: Int64?
    /// Of the files that the context was made of.
    var stamps: [[Int64]?]
    var settings: ServeOptions.TLSSettings
  }

  private let authority: APIAuthority
  private let names: (dns: [String], addresses: [String])
  private let logger: Logger
  private let state: Mutex<State>

  /// omnid's own certificate is made anew this long before it ends.
  private static let margin: Int64 = 30 * 24 * 3600

  /// - Throws: when a file cannot be read or does not hold what it should; the message names it.
  init(
    _ settings: ServeOptions.TLSSettings, authority: APIAuthority, listen: [Endpoint],
    logger: Logger
  ) throws {
    self.authority = authority
    self.logger = logger
    names = ServerNames.of(settings.names, listen)
    state = Mutex(try Self.made(settings, authority, names))
  }

  /// The CA that the server's certificate leads to, PEM; empty when it comes from a file.
  var serverCA: String {
    state.withLock { $0.settings.identity == nil } ? authority.certificate.pem : ""
  }

  /// SHA-256 of the certificate that the server presents, lower-case hexadecimal.
  var certificateFingerprint: String { state.withLock { $0.fingerprint } }

  /// For one connection.
  func context() -> TLSContext {
    state.withLock { state in
      if let renewal = state.renewal, Self.now() >= renewal { renew(&state) }
      return state.context
    }
  }

  private func renew(_ state: inout State) {
    do {
      state = try Self.made(state.settings, authority, names)
      logger.info("made a new certificate for this server")
    } catch {
      // The one that is there lasts for a while yet.
      state.renewal = Self.now() + 3600
      logger.error(
        "no new certificate can be made for this server", [.error: .string(Self.text(of: error))])
    }
  }

  /// Looks whether the files of these settings can be used.
  ///
  /// - Throws: as `init`.
  static func check(_ settings: ServeOptions.TLSSettings) throws {
    if let files = settings.identity { _ = try read(files, settings.keyIsCredential) }
    if let path = settings.clientCA { _ = try bundle(path) }
  }

  /// Reads the files again, if they are others than before.
  ///
  /// - Parameters:
  ///   - isForced: also when they seem to be the same.
  ///   - settings: which files from now on, if they can be used; nil: those of before. Names are not looked at.
  func reload(isForced: Bool, _ settings: ServeOptions.TLSSettings? = nil) {
    state.withLock { state in
      let settings = settings ?? state.settings
      guard !settings.files.isEmpty || settings.files != state.settings.files else { return }
      let stamps = settings.files.map(PrivateFiles.stamp)
      guard isForced || stamps != state.stamps else { return }
      do {
        state = try Self.made(settings, authority, names)
        logger.info("read the files of the tls: listeners again")
      } catch {
        state.stamps = stamps
        logger.error(
          "the files of the tls: listeners cannot be used: what they held before stays in force",
          [.error: .string(Self.text(of: error))])
      }
    }
  }

  private static func text(of error: any Error) -> String {
    (error as? CryptoError)?.message ?? "\(error)"
  }

  private static func now() -> Int64 { WallClock.nanosecondsSince1970() / 1_000_000_000 }

  // MARK: - Making a context

  private static func made(
    _ settings: ServeOptions.TLSSettings, _ authority: APIAuthority,
    _ names: (dns: [String], addresses: [String])
  ) throws -> State {
    // Before they are read: a change in between is seen by the next look.
    let stamps = settings.files.map(PrivateFiles.stamp)
    var renewal: Int64?
    let identity: Identity
    if let files = settings.identity {
      identity = try read(files, settings.keyIsCredential)
    } else {
      identity = try authority.serverIdentity(
        dnsNames: names.dns, ipAddresses: names.addresses,
        now: Instant(secondsSince1970: now()))
      renewal = identity.certificate.notAfter - margin
    }
    let roots = try settings.clientCA.map(bundle) ?? [authority.certificate]
    let context = try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, trustRoots: roots, peerVerification: .optional,
        alpn: ["h2", "http/1.1"]))
    return State(
      context: context, fingerprint: identity.certificate.fingerprint, renewal: renewal,
      stamps: stamps, settings: settings)
  }

  private static func read(
    _ files: (certificate: String, key: String), _ isCredential: Bool
  ) throws -> Identity {
    let certificates = try PrivateFiles.read(files.certificate)
    var key = try PrivateFiles.readSecret(files.key, isCredential: isCredential)
    let secret = SecretBytes(taking: &key)
    return try naming("\(files.certificate) with \(files.key)") { () throws(CryptoError) in
      try Identity(
        certificates: Certificate.bundle(pem: String(decoding: certificates, as: UTF8.self)),
        key: PrivateKey(pem: secret))
    }
  }

  private static func bundle(_ path: String) throws -> [Certificate] {
    let bytes = try PrivateFiles.read(path)
    let roots = try naming(path) { () throws(CryptoError) in
      try Certificate.bundle(pem: String(decoding: bytes, as: UTF8.self))
    }
    guard !roots.isEmpty else { throw DaemonError("\(path): there is no certificate in it") }
    return roots
  }

  private static func naming<Value>(
    _ what: String, _ body: () throws(CryptoError) -> Value
  ) throws(DaemonError) -> Value {
    do throws(CryptoError) { return try body() } catch {
      throw DaemonError("\(what): \(error.message)")
    }
  }
}
