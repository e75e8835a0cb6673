import Crypto
import Glibc

/// A throw-away authority with a server's and a client's identity, for TLS on loopback.
struct TestTLS {
  let authority: Authority
  let server: TLSContext
  let client: TLSContext

  static func now() -> Int64 { Int64(time(nil)) }

  init(_ kind: AuthorityKind = .talos, minimum: TLSConfiguration.Version = .tls13) throws {
    authority = try Authority.generate(kind, now: Self.now())
    let serverIdentity = try authority.issue(
      LeafRequest(
        organizations: ["server"], ipAddresses: ["127.0.0.1"], usages: [.server], validity: 3600),
      now: Self.now())
    server = try TLSContext(
      TLSConfiguration(
        role: .server, identity: serverIdentity, trustRoots: [authority.certificate],
        peerVerification: .required, alpn: ["h2"], minimumVersion: .tls12,
        maximumVersion: minimum))
    client = try Self.client(of: authority, trusting: [authority])
  }

  /// A client whose certificate one authority issued, and that trusts others.
  static func client(
    of issuer: Authority?, trusting: [Authority], validity: Int64 = 3600
  ) throws -> TLSContext {
    let identity = try issuer?.issue(
      LeafRequest(organizations: ["os:admin"], usages: [.client], validity: validity), now: now())
    return try TLSContext(
      TLSConfiguration(
        role: .client, identity: identity, trustRoots: trusting.map(\.certificate),
        peerVerification: .required, alpn: ["h2"]))
  }
}
