import Compression
import Crypto

/// Certificates, keys and requests in PEM and DER; sealed secrets; age files; compressed archives.
enum CryptoTargets {
  static let pem = FuzzTarget("pem") { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    for certificate in (try? Certificate.bundle(pem: text)) ?? [] { try check(certificate) }
    if let certificate = try? Certificate(der: bytes) {
      try require(certificate.der == bytes, "the DER changes")
      try check(certificate)
    }
    for key in [try? PrivateKey(pem: text), try? PrivateKey(der: bytes)] {
      guard let key else { continue }
      try require(!"\(key)".contains("PRIVATE KEY"), "a description shows the key")
      do {
        _ = try PrivateKey(pem: key.pem)
      } catch {
        throw Violation("a key that was written is refused: \(error)")
      }
    }
    if let request = try? CertificateRequest(pem: text) {
      try require((try? CertificateRequest(pem: request.pem)) == request, "the request changes")
    }
    _ = try? CertificateRequest(der: bytes)
    let sealer = try Sealer(masterKey: [UInt8](repeating: 1, count: Sealer.keySize))
    try require(
      (try? sealer.open(bytes, context: "a")) == nil, "opened what was never sealed")
  }

  private static func check(_ certificate: Certificate) throws(Violation) {
    _ = (
      certificate.subject, certificate.issuer, certificate.dnsNames, certificate.ipAddresses,
      certificate.isCA, certificate.serialHex, certificate.keyAlgorithm,
      certificate.publicKeyFingerprint, certificate.isValid(at: 0), certificate.description
    )
    try require(certificate.fingerprint.count == 64, "a fingerprint of another length")
    try require((try? Certificate(pem: certificate.pem)) == certificate, "its PEM is another")
    _ = certificate.isSigned(by: certificate)
  }

  /// Files of age and of its keys.
  static let age = FuzzTarget("age") { bytes in
    let text = Array(
      "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX".utf8)
    let identities = try AgeIdentity.list(in: text)
    if let payload = try? AgeFile.decrypted(bytes, by: identities) {
      try require(AgeFile.isOne(bytes), "opened what is no age file")
      try require(payload.count < bytes.count, "a payload that is larger than its file")
    }
    for recipient in (try? AgeRecipient.list(in: bytes)) ?? [] {
      try require((try? AgeRecipient("\(recipient)")) == recipient, "the recipient changes")
    }
    for identity in (try? AgeIdentity.list(in: bytes)) ?? [] {
      let file = try AgeFile.encrypted([bytes], to: [identity.recipient])
      try require(
        (try? AgeFile.decrypted(file, by: [identity])) == bytes, "encrypted and opened, it changes")
    }
  }

  static let compression = FuzzTarget("compression") { bytes in
    let limit = 1 << 16
    let data = Array(bytes.dropFirst())
    let format: CompressionFormat = (bytes.first ?? 0) & 1 == 0 ? .gzip : .zlib
    if let out = try? Decompressor.decompress(data, format, limit: limit) {
      try require(out.count <= limit, "\(out.count) bytes over the limit")
      try files(out)
    }
    try files(data)
    let packed = try Compressor.compress(data, format)
    try require(
      try Decompressor.decompress(packed, format, limit: data.count) == data,
      "compressed and decompressed, it changes")
  }

  private static func files(_ bytes: [UInt8]) throws {
    guard let files = try? TarArchive.files(in: bytes) else { return }
    try require(
      files.reduce(0) { $0 + $1.contents.count } <= bytes.count, "files larger than the archive")
  }
}
