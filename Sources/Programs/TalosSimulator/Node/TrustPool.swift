internal import Crypto
internal import Synchronization

/// Certificates out of PEM text, as a trust pool is filled: what cannot be read is left out.
enum TrustPool {
  private static let read = Memo<[String], [Certificate]>(limit: 4096)

  private static let parsed = Memo<[UInt8], Certificate?>(limit: 4096)

  /// A certificate that a peer has shown; nil where the bytes are none.
  static func certificate(der: [UInt8]) -> Certificate? {
    parsed.value(for: der) { try? Certificate(der: der) }
  }

  static func certificates(_ list: [String]) -> [Certificate] {
    read.value(for: list) {
      PEMText.certificates(joining: list).compactMap { try? Certificate(pem: $0) }
    }
  }
}

extension ChainVerification {
  /// Everything that decides whether a chain verifies.
  private struct Question: Hashable {
    var leaf: Certificate
    var intermediates: [Certificate]
    var roots: [Certificate]
    var purpose: Purpose
    /// Of the leaf, the intermediates and the roots, in this order: whether each is valid now.
    var validity: [Bool]
  }

  private static let answers = Memo<Question, Bool>(limit: 4096)

  /// Whether the chain verifies.
  static func accepts(
    _ leaf: Certificate, intermediates: [Certificate] = [], roots: [Certificate],
    purpose: Purpose, at time: Int64
  ) -> Bool {
    let question = Question(
      leaf: leaf, intermediates: intermediates, roots: roots, purpose: purpose,
      validity: ([leaf] + intermediates + roots).map { $0.isValid(at: time) })
    return answers.value(for: question) {
      do {
        try verify(leaf, intermediates: intermediates, roots: roots, purpose: purpose, at: time)
        return true
      } catch {
        return false
      }
    }
  }
}

/// The values of a pure function: every node of a cluster asks the same few questions after every event.
private final class Memo<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let limit: Int
  private let known = Mutex<[Key: Value]>([:])

  /// - Parameter limit: the most values that are kept; all are dropped when there would be more.
  init(limit: Int) { self.limit = limit }

  func value(for key: Key, _ compute: () -> Value) -> Value {
    if let value = known.withLock({ $0[key] }) { return value }
    let value = compute()
    known.withLock { known in
      if known.count >= limit { known = [:] }
      known[key] = value
    }
    return value
  }
}
