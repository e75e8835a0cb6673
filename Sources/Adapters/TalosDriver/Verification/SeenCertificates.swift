import Crypto
import Synchronization

/// Certificates that machines have shown, parsed once: the same few are seen at every look.
///
/// Nothing depends on what it holds: a certificate is what its DER bytes say.
final class SeenCertificates: Sendable {
  /// Of all clusters: certificates of authorities recur at every machine, leaves at every look at one.
  static let shared = SeenCertificates(limit: 8192, bytes: 8 << 20)

  private struct Known {
    var certificates: [[UInt8]: Certificate] = [:]
    /// Of their DER forms.
    var bytes = 0
  }

  private let limit: (certificates: Int, bytes: Int)
  private let known = Mutex(Known())

  /// All that is kept is dropped when there would be more than one of the limits allows: a machine may show as
  /// many certificates as it likes, and large ones.
  ///
  /// - Parameters:
  ///   - limit: the most certificates that are kept.
  ///   - bytes: the most bytes of their DER forms.
  init(limit: Int, bytes: Int) { self.limit = (limit, bytes) }

  /// - Throws: as `Certificate(der:)`.
  func certificate(der: [UInt8]) throws(CryptoError) -> Certificate {
    if let certificate = known.withLock({ $0.certificates[der] }) { return certificate }
    let certificate = try Certificate(der: der)
    known.withLock { known in
      guard known.certificates[der] == nil, der.count <= limit.bytes else { return }
      if known.certificates.count >= limit.certificates || known.bytes + der.count > limit.bytes {
        known = Known()
      }
      known.certificates[der] = certificate
      known.bytes += der.count
    }
    return certificate
  }

  var count: Int { known.withLock { $0.certificates.count } }

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
