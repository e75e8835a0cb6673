internal import Crypto
internal import Encodings

/// Everything a new Talos cluster generates once: CAs, keys and tokens.
struct ClusterSecrets: Sendable {
  var clusterID: String
  var clusterSecret: String
  var talosToken: String
  var bootstrapToken: String
  var secretboxSecret: String
  var talosCA: PEMPair
  var kubernetesCA: PEMPair
  var etcdCA: PEMPair
  var aggregatorCA: PEMPair
  var serviceAccountKey: String

  /// - Parameters:
  ///   - now: when the CAs are made, in seconds since 1970.
  ///   - talosValidity: seconds from now; nil for Talos' ten years.
  static func generate(
    now: Int64, talosValidity: Int64? = nil, kubernetesValidity: Int64? = nil
  ) throws(CryptoError) -> ClusterSecrets {
    let talos = try Authority.generate(
      organizations: ["talos"], keyAlgorithm: .ed25519,
      validity: talosValidity ?? Authority.validity, now: now)
    let kubernetes = try Authority.generate(
      organizations: ["kubernetes"], keyAlgorithm: .ecdsaP256,
      validity: kubernetesValidity ?? Authority.validity, now: now)
    let etcd = try Authority.generate(.etcd, now: now)
    let aggregator = try Authority.generate(.aggregator, now: now)
    return ClusterSecrets(
      clusterID: Token.base64(bytes: 32), clusterSecret: Token.base64(bytes: 32),
      talosToken: Token.bootstrap(), bootstrapToken: Token.bootstrap(),
      secretboxSecret: Token.base64(bytes: 32),
      talosCA: PEMPair(talos), kubernetesCA: PEMPair(kubernetes), etcdCA: PEMPair(etcd),
      aggregatorCA: PEMPair(aggregator),
      serviceAccountKey: try PrivateKey.generate(.rsa(bits: 2048)).pem)
  }
}

extension PEMPair {
  init(_ authority: Authority) {
    self.init(certificate: authority.certificate.pem, key: authority.key.pem)
  }

  /// The pair as a CA that signs.
  func authority() throws(CryptoError) -> Authority {
    try Authority(certificatePEM: certificate, keyPEM: key)
  }
}

/// Random tokens in the forms Kubernetes and Talos use.
enum Token {
  /// Six and sixteen characters with a dot between.
  static func bootstrap() -> String { "\(characters(6)).\(characters(16))" }

  static func base64(bytes: Int) -> String {
    Base64.encode(Random.bytes(bytes))
  }

  /// A discovery identity: 32 random bytes in base62, as Talos writes them.
  static func nodeID() -> String {
    characters(43, of: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  }

  static func hexadecimal(bytes: Int) -> String { characters(2 * bytes, of: "0123456789abcdef") }

  /// A random identifier in the form of RFC 9562.
  static func uuid() -> String {
    let hex = Array(hexadecimal(bytes: 16))
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }
      .joined(separator: "-")
  }

  private static func characters(
    _ count: Int, of alphabet: String = "abcdefghijklmnopqrstuvwxyz0123456789"
  ) -> String {
    let alphabet = Array(alphabet)
    return String(Random.bytes(count).map { alphabet[Int($0) % alphabet.count] })
  }
}
