import Crypto
import StoreConformance

extension Sample {
  static let masterKey = [UInt8](1...32)

  static let sealer: Sealer = {
    guard let sealer = try? Sealer(masterKey: masterKey) else { fatalError("no sealer") }
    return sealer
  }()
}
