import Crypto
import Rotation

/// What a machine's configuration is to hold of a component.
struct WantedTrust {
  var component: SecretComponent
  var issuing: Certificate
  /// The PEM of the issuing authority's key, for control planes.
  var issuingKey: SecretBytes?
  /// What is to be accepted, the issuing authority first.
  var accepted: [Certificate]
  /// The authorities that take part in the rotation. Others, which somebody else put there, are left
  /// alone unless `removesForeign` is set.
  var managed: Set<Certificate>
  /// Lists the issuing authority among the accepted ones although that is understood. Means nothing to
  /// the machine's trust, but makes a worker ask trustd for a fresh certificate (see `TrustRefresh`).
  var repeatsIssuing = false
  /// Of `managed` those whose keys nobody knows: a control plane that issues from one has made that itself.
  var keyless: Set<Certificate> = []
  /// Takes authorities that are not managed out of the accepted list and out of the issuing field,
  /// wherever they stand in an entry.
  var removesForeign = false
  /// The authority that a machine issues from in a later stage; nil where there is no later stage that
  /// changes it. A configuration that has got there already is ahead of what is wanted, and is refused.
  var successor: Certificate?

  /// The authority that every control plane accepts still, because the way back leads to it; nil on the way forward, and of
  /// workers, which may have joined with a newer configuration. A configuration that does not accept it is ahead of what
  /// is wanted, and is refused.
  var kept: Certificate?

  /// What the configuration's list of accepted authorities is to hold of the managed ones.
  ///
  /// - Parameter hasIssuing: whether the issuing authority stands in a field of its own.
  func listed(hasIssuing: Bool) -> [Certificate] {
    guard hasIssuing else { return accepted }
    let others = accepted.filter { $0 != issuing }
    return repeatsIssuing ? others + [issuing] : others
  }

  /// Whether the configuration is to accept this authority.
  func keeps(_ certificate: Certificate) -> Bool {
    managed.contains(certificate) ? accepted.contains(certificate) : !removesForeign
  }
}
