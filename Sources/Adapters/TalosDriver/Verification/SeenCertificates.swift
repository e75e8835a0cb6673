import Crypto
import Synchronization

/// Certificates that machines have shown, parsed once: the same few are seen at every look.
///
/// Nothing depends on what it holds: a certificate is what its DER bytes say.
final class SeenCertificates: Sendable {
  /// Of all clusters: certificates of authorities recur at every machine, leaves at every look at one.
  static let shared = SeenCertificates(limit: 8192)

  private let limit: Int
  private let known = Mutex<[[UInt8]: Certificate]>([:])

  /// - Parameter limit: the most certificates that are kept; all are dropped when there would be more.
  init(limit: Int) { self.limit = limit }

  /// - Throws: as `Certificate(der:)`.
  func certificate(der: [UInt8]) throws(CryptoError) -> Certificate {
    if let certificate = known.withLock({ $0[der] }) { return certificate }
    let certificate = try Certificate(der: der)
    known.withLock { known in
      if known.count >= limit { known = [:] }
      known[der] = certificate
    }
    return certificate
  }

  var count: Int { known.withLock { $0.count } }

  /// The certificates of a PEM text, in order; blocks of other kinds (keys) are skipped.
  ///
  /// - Throws: as `Certificate(der:)`.
  func bundle(pem: String) throws(CryptoError) -> [Certificate] {
    var certificates: [Certificate] = []
    for block in PEMReading.blocks(of: Array(pem.utf8)).blocks where block.label == "CERTIFICATE" {
      certificates.append(try certificate(der: block.contents))
    }
    return certificates
  }
}
