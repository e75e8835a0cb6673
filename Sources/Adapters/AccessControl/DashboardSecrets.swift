public import Access
internal import Crypto
internal import Encodings

/// Makes the secrets of the dashboard's links and sessions.
public struct DashboardSecrets: DashboardMint {
  private static let bytes = 32

  public init() {}

  public func makeSecret(_ kind: DashboardSecret) -> MintedToken {
    let text = kind.prefix + Base64.encode(Random.bytes(Self.bytes), alphabet: .url, padded: false)
    return MintedToken(
      text: text, id: "d-" + Hexadecimal.encode(Random.bytes(8)),
      hash: SHA256.digest(Array(text.utf8)))
  }

  public func hash(of secret: String, _ kind: DashboardSecret) -> [UInt8]? {
    guard secret.hasPrefix(kind.prefix), secret.utf8.count <= 128 else { return nil }
    return SHA256.digest(Array(secret.utf8))
  }
}
