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
    let authorities: [SealedAuthority]
    if let change = access.rotation, change.component == component {
      let isOldFirst = change.phase == .preRotate || change.direction == .backward
      authorities = isOldFirst ? [change.old, change.new] : [change.new, change.old]
    } else if let authority = access.cluster.authorities[component] {
      authorities = [authority]
    } else {
      throw DriverError(
        .internalError, "cluster \(access.cluster.name) has no stored \(component.rawValue)")
    }
    // Of one that has expired no client can be made; where there is no other, that is what is said.
    let able = authorities.filter(keyring.signs)
    signers = able.isEmpty ? authorities.filter(\.hasKey) : able
    guard !signers.isEmpty else {
      throw DriverError(
        .internalError, "no key of the \(component.rawValue) of \(access.cluster.name) is known")
    }
    // Nobody shows certificates of an authority whose key is lost. Where the record has the new one already, in a rotation
    // that was taken over, the old one was retired: whoever shows it may have its key and nothing else.
    let trusted =
      access.rotation.map {
        $0.component == component && access.cluster.authorities[component] == $0.new
      } == true ? authorities.filter { $0 == access.rotation?.new } : authorities.filter(\.hasKey)
    roots = []
    for authority in trusted { roots.append(try keyring.certificate(authority)) }
  }
}
