internal import COpenSSL
internal import Encodings

/// Which of a Talos cluster's certificate authorities.
public enum AuthorityKind: Sendable, Hashable, CaseIterable {
  /// Signs the Talos API's certificates: Ed25519, `O=talos`.
  case talos
  /// Signs Kubernetes' certificates: ECDSA P-256, `O=kubernetes`.
  case kubernetes
  /// Signs etcd's certificates: ECDSA P-256, `O=etcd`.
  case etcd
  /// Signs the front proxy's certificates: ECDSA P-256, without a subject.
  case aggregator

  var keyAlgorithm: KeyAlgorithm { self == .talos ? .ed25519 : .ecdsaP256 }

  var organizations: [String] {
    switch self {
    case .talos: ["talos"]
    case .kubernetes: ["kubernetes"]
    case .etcd: ["etcd"]
    case .aggregator: []
    }
  }
}

/// A certificate authority: a root certificate and its private key.
public struct Authority: Sendable {
  public let certificate: Certificate
  public let key: PrivateKey

  /// Ten years of 365 days, Talos' validity for authorities, in seconds.
  public static let validity: Int64 = 87_600 * 3600
  /// How far NotBefore lies before the given time, in seconds: machines' clocks may lag.
  public static let backdating: Int64 = 3600

  /// - Throws: `.keyMismatch` when the key is not the certificate's, `.unsupported` when the
  ///   certificate is not an authority's.
  public init(certificate: Certificate, key: PrivateKey) throws(CryptoError) {
    guard certificate.isCA else {
      throw CryptoError(.unsupported, "the certificate is not a certificate authority's")
    }
    guard key.matches(certificate) else {
      throw CryptoError(.keyMismatch, "the private key does not belong to the authority")
    }
    self.certificate = certificate
    self.key = key
  }

  /// Reads an authority as a machine configuration holds it.
  public init(certificatePEM: String, keyPEM: String) throws(CryptoError) {
    try self.init(
      certificate: try Certificate(pem: certificatePEM), key: try PrivateKey(pem: keyPEM))
  }

  /// A new authority as Talos makes them, with a random key, serial and key identifier.
  ///
  /// - Parameters:
  ///   - now: Unix seconds; the validity begins an hour before and ends ten years after.
  ///   - notBefore: Unix seconds; the validity begins then at the latest. The earliest time that one of
  ///     the machines shows is one that all of them share.
  public static func generate(
    _ kind: AuthorityKind, now: Int64, notBefore: Int64? = nil
  ) throws(CryptoError) -> Authority {
    try generate(
      organizations: kind.organizations, keyAlgorithm: kind.keyAlgorithm, now: now,
      notBefore: notBefore)
  }

  /// A new authority with a subject, key kind and validity (seconds) of the caller's choice, as
  /// clusters from elsewhere may have.
  public static func generate(
    organizations: [String], keyAlgorithm: KeyAlgorithm, validity: Int64 = validity, now: Int64,
    notBefore: Int64? = nil
  ) throws(CryptoError) -> Authority {
    let key = try PrivateKey.generate(keyAlgorithm)
    let builder = try unsafe CertificateBuilder(
      key: key.handle.pointer, notBefore: min(now - backdating, notBefore ?? .max),
      notAfter: now + validity)
    try builder.setSubject(organizations: organizations, commonName: nil)
    try builder.addExtension(NID_key_usage, "critical,digitalSignature,keyCertSign")
    try builder.addExtension(NID_ext_key_usage, "serverAuth,clientAuth")
    try builder.addExtension(NID_basic_constraints, "critical,CA:TRUE")
    // Random and not the key's digest, as Talos does it: old and new authority share a subject, so
    // this is what tells them apart.
    try builder.addSubjectKeyID(Random.bytes(20))
    let certificate = try builder.sign(with: key, issuer: nil)
    return try Authority(certificate: certificate, key: key)
  }

  /// Makes a key of the wanted kind and a certificate for it, which ends with the authority at the latest.
  ///
  /// - Parameters:
  ///   - now: Unix seconds.
  ///   - includesAuthority: whether the authority's certificate stands behind the leaf in the chain,
  ///     as Talos has it for `apiserver.crt`.
  /// - Throws: `.expired` when the authority is over at `now`; the message says since when.
  public func issue(
    _ leaf: LeafRequest, now: Int64, includesAuthority: Bool = false
  ) throws(CryptoError) -> Identity {
    let leafKey = try PrivateKey.generate(leaf.keyAlgorithm ?? key.algorithm.forLeaves)
    let leafCertificate = try unsafe makeCertificate(leaf, for: leafKey.handle.pointer, now: now)
    return try Identity(
      certificates: includesAuthority ? [leafCertificate, certificate] : [leafCertificate],
      key: leafKey)
  }

  /// Signs the key of a certificate request. The names come from `leaf` alone; to grant what was
  /// asked for, make it with `LeafRequest(following:)`.
  public func sign(
    _ request: CertificateRequest, as leaf: LeafRequest, now: Int64
  ) throws(CryptoError) -> Certificate {
    let parsed = try CertificateRequest.parse(request.der)
    return try unsafe makeCertificate(leaf, for: X509_REQ_get0_pubkey(parsed.pointer), now: now)
  }

  /// `leafKey` stays the caller's.
  private func makeCertificate(
    _ leaf: LeafRequest, for leafKey: OpaquePointer?, now: Int64
  ) throws(CryptoError) -> Certificate {
    guard certificate.notAfter > now else {
      throw CryptoError(
        .expired,
        "the CA \(certificate.fingerprint.prefix(12)) has expired on "
          + "\(RFC3339.text(secondsSince1970: certificate.notAfter)): nothing can be issued from it"
      )
    }
    let names = try AlternativeNames(dnsNames: leaf.dnsNames, ipAddresses: leaf.ipAddresses)
    let builder = try unsafe CertificateBuilder(
      key: leafKey, notBefore: now - leaf.backdating,
      notAfter: min(now + leaf.validity, certificate.notAfter))
    try builder.setSubject(organizations: leaf.organizations, commonName: leaf.commonName)
    if let keyUsage = leaf.keyUsageText {
      try builder.addExtension(NID_key_usage, "critical," + keyUsage)
    }
    if let usages = leaf.usageText { try builder.addExtension(NID_ext_key_usage, usages) }
    try builder.addAuthorityKeyID(of: certificate.handle)
    let hasSubject = !leaf.organizations.isEmpty || leaf.commonName != nil
    try builder.addAlternativeNames(names, critical: !hasSubject)
    return try builder.sign(with: key, issuer: certificate)
  }
}

extension KeyAlgorithm {
  /// What a leaf's key is when the authority has such a key: the same kind.
  fileprivate var forLeaves: KeyAlgorithm {
    switch self {
    case .rsa(let bits): .rsa(bits: min(max(bits, 2048), 4096))
    case .other: .ecdsaP256
    default: self
    }
  }
}
