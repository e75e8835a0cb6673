import Crypto
import Encodings
import Orchestrator
import Rotation
import YAML

/// Which control planes of a survey are what they call themselves.
///
/// To hold the key of the CA that it issues from proves nothing of a machine, which may have made that CA itself. A
/// control plane has to hold the key of a CA that was trusted before it was asked: the record's, or the talosconfig's. In
/// the midst of a rotation it issues from another one; then it has to hold the key of the etcd CA, which rotations
/// leave alone, of a control plane that has proved itself.
enum GenuinePlanes {
  /// - Parameters:
  ///   - trusted: Talos CAs that were trusted before any machine was asked.
  ///   - retired: Talos CAs that rotations of the cluster have retired: whoever shows one may have its key and nothing else.
  /// - Throws: `.conflict`, naming the machine.
  @concurrent
  static func require(
    _ inspections: [MachineInspection], trusted: Set<Certificate>, retired: Set<Certificate>,
    known: ClusterRecord?
  ) async throws(DriverError) {
    var etcd: Set<Certificate> = []
    var others: [(machine: Machine, issuing: Certificate, etcd: Certificate?)] = []
    for seen in inspections where seen.machine.role == .controlPlane {
      let machine = seen.machine
      if let before = known?.machines.first(where: { $0.id == machine.id }), before.role == .worker
      {
        throw refused(
          machine, "the record has it as a worker: if it was set up anew, forget the cluster first")
      }
      let config = try MachineConfig(seen.active)
      let trust = try config.trust(.talosCA)
      guard let issuing = trust.issuing, let key = trust.issuingKey,
        KeyProof.holds(key, for: issuing)
      else { throw refused(machine, "its configuration does not hold the key of its Talos CA") }
      let own = provenEtcdCA(config)
      if trusted.contains(issuing), !retired.contains(issuing) {
        if let own { etcd.insert(own) }
      } else if retired.contains(issuing) {
        throw DriverError(
          .conflict,
          "\(machine.id) shows certificates of \(ForeignAuthority.name(issuing)), which was retired: it was given its old "
            + "configuration again, or somebody who has that CA's key answers in its place, and these two cannot be told "
            + "apart, so no key is sent to it; whoever can see the machine itself (its console, not the network) makes sure "
            + "that it is the one, and applies its present configuration with a talosconfig from before that rotation (the "
            + "present CAs: omnictl cluster -n \(known?.name ?? "NAME") secrets export), or resets it and has it join anew"
        )
      } else {
        others.append((machine, issuing, own))
      }
    }
    for other in others {
      guard let own = other.etcd, etcd.contains(own) else {
        throw refused(
          other.machine,
          "it issues from \(ForeignAuthority.name(other.issuing)), and does not hold the key of the etcd CA that the "
            + "others have")
      }
    }
  }

  private static func refused(_ machine: Machine, _ reason: String) -> DriverError {
    DriverError(
      .conflict, "\(machine.id) (\(machine.address)) calls itself a control plane, but \(reason)")
  }

  /// The etcd CA, if the configuration holds its key.
  private static func provenEtcdCA(_ config: MachineConfig) -> Certificate? {
    let pair = config.root.node(at: ["cluster", "etcd", "ca"])
    guard let crt = pair?["crt"]?.text, let key = pair?["key"]?.text,
      let pem = Base64.decode(crt, .folded), var secret = Base64.decode(key, .folded),
      let certificate = try? Certificate(pem: String(decoding: pem, as: UTF8.self))
    else { return nil }
    return KeyProof.holds(SecretBytes(taking: &secret), for: certificate) ? certificate : nil
  }
}
