import Crypto
import Foundation

/// The code of the error that `body` throws; nil when it throws none.
func code(of body: () throws -> Void) -> CryptoError.Code? {
  do { try body() } catch { return (error as? CryptoError)?.code }
  return nil
}

/// Now, in Unix seconds.
let now = Int64(Date().timeIntervalSince1970)

/// Authorities made once for all tests: two generations of each kind, which share a subject.
enum Fixtures {
  static let talosOld = make(.talos)
  static let talosNew = make(.talos)
  static let kubernetesOld = make(.kubernetes)
  static let kubernetesNew = make(.kubernetes)
  static let rsa = make(.rsa(bits: 2048), "talos")

  static func make(_ kind: AuthorityKind) -> Authority {
    guard let authority = try? Authority.generate(kind, now: now) else {
      fatalError("no authority")
    }
    return authority
  }

  static func make(_ algorithm: KeyAlgorithm, _ organization: String) -> Authority {
    let made = try? Authority.generate(
      organizations: [organization], keyAlgorithm: algorithm, now: now)
    guard let made else { fatalError("no authority") }
    return made
  }
}

/// The kinds of key that TLS is tested with, and an authority of each kind.
enum KeyKind: String, CaseIterable {
  case ed25519
  case ecdsaP256
  case rsa

  var authority: Authority {
    switch self {
    case .ed25519: Fixtures.talosOld
    case .ecdsaP256: Fixtures.kubernetesOld
    case .rsa: Fixtures.rsa
    }
  }
}
