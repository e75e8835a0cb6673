import Crypto
import Orchestrator
import Rotation

/// How the driver itself deals with a component of a cluster, at this point of its rotation.
struct ClusterTrust {
  /// Whom to trust: while a rotation runs, both authorities.
  var roots: [Certificate]
  /// From whom to take our own certificate, the one that surely is accepted first.
  ///
  /// In the first stage some machines do not know the new authority yet, so it is the old one; after it
  /// every machine knows the new one, and from the last stage on some know nothing else. On the way back
  /// every machine knows the old one. The other is for a machine that joined with the trust of another stage.
  var signers: [SealedAuthority]

  init(
    _ component: SecretComponent, _ access: ClusterAccess, _ keyring: Keyring
  ) throws(DriverError) {
    if let change = access.rotation, change.component == component {
      let isOldFirst = change.phase == .preRotate || change.direction == .backward
      signers = isOldFirst ? [change.old, change.new] : [change.new, change.old]
    } else if let authority = access.cluster.authorities[component] {
      signers = [authority]
    } else {
      throw DriverError(
        .internalError, "cluster \(access.cluster.name) has no stored \(component.rawValue)")
    }
    roots = []
    for signer in signers { roots.append(try keyring.certificate(signer)) }
  }
}
