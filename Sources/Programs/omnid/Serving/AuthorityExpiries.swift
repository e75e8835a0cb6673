import Orchestrator
import Rotation
import Synchronization

/// When authorities expire, by their fingerprints: to read a certificate costs more than all else of a scrape.
final class AuthorityExpiries: Sendable {
  private static let limit = 4096
  private let known = Mutex<[String: Instant]>([:])

  /// When each authority that a record has expires.
  func of(
    _ record: ClusterRecord, _ orchestrator: RotationOrchestrator
  ) async -> [SecretComponent: Instant] {
    var found = known.withLock { known in
      record.authorities.compactMapValues { known[$0.fingerprint] }
    }
    guard found.count < record.authorities.count else { return found }
    for (component, authority, description) in await orchestrator.authorities(record) {
      keep(description.notAfter, of: authority.fingerprint)
      found[component] = description.notAfter
    }
    return found
  }

  private func keep(_ expiry: Instant, of fingerprint: String) {
    known.withLock { known in
      if known.count >= Self.limit { known = [:] }
      known[fingerprint] = expiry
    }
  }
}
