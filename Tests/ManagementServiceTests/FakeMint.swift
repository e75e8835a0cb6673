import Access
import Orchestrator
import Rotation
import Synchronization

/// Signs everything, and makes tokens that count up.
final class FakeMint: CredentialMint {
  let signsCertificates: Bool
  private let count = Atomic(0)

  init(signsCertificates: Bool = true) { self.signsCertificates = signsCertificates }

  private func next() -> Int { count.add(1, ordering: .relaxed).newValue }

  func sign(
    _ request: String, name: String, role: Role, validity: Duration, now: Instant
  ) throws(AccessError) -> SignedCertificate {
    guard request == "request" else {
      throw AccessError(
        .invalidArgument, "no request", violations: [.init("certificate_request", "no request")])
    }
    let serial = "5e71a1" + String(next(), radix: 16)
    return SignedCertificate(
      pem: "certificate \(serial)", serial: serial, expiresAt: now.advanced(by: validity))
  }

  func makeToken() -> MintedToken {
    let number = next()
    return MintedToken(text: "omni_\(number)", id: "t-\(number)", hash: Array("\(number)".utf8))
  }

  func hash(ofToken token: String) -> [UInt8]? {
    token.hasPrefix("omni_") ? Array(token.dropFirst(5).utf8) : nil
  }
}

/// Makes secrets that count up.
final class FakeDashboardMint: DashboardMint {
  private let count = Atomic(0)

  func makeSecret(_ kind: DashboardSecret) -> MintedToken {
    let number = count.add(1, ordering: .relaxed).newValue
    let text = "\(kind.prefix)\(number)"
    return MintedToken(text: text, id: "d-\(number)", hash: Array(text.utf8))
  }

  func hash(of secret: String, _ kind: DashboardSecret) -> [UInt8]? {
    secret.hasPrefix(kind.prefix) ? Array(secret.utf8) : nil
  }
}
