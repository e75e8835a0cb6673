import Crypto

/// A component's authorities as a machine's configuration has them.
struct ConfiguredTrust {
  /// What `machine.ca`, `cluster.ca` or `issuingCA` holds. Nil on a worker that only lists what it
  /// accepts.
  let authority: TrustEntry?
  /// The entries of the accepted list, as they are written.
  let entries: [TrustEntry]
  /// The PEM of the issuing authority's private key as the configuration holds it, on control planes; nil if it
  /// is missing.
  let issuingKey: SecretBytes?
  /// Everything the machine accepts by this configuration: what Talos reads when it has joined the
  /// entries.
  let accepted: Set<Certificate>
  /// Everything that stands in the configuration, in the order of writing, none twice: also what Talos
  /// does not read because the entry before it has no line break at its end.
  let written: [Certificate]
  /// The BEGIN lines of certificates that cannot be read where Talos reads them.
  let unreadable: Int

  /// - Parameter orders: the orders in which releases of Talos join authority and list.
  init(
    authority: TrustEntry?, entries: [TrustEntry], issuingKey: SecretBytes?, orders: [JoinOrder]
  ) {
    self.authority = authority
    self.entries = entries
    self.issuingKey = issuingKey
    let readings = orders.map { order in
      PEMReading.certificates(joining: order.joined(authority, entries).map(\.text))
    }
    accepted = readings.dropFirst().reduce(Set(readings.first?.certificates ?? [])) {
      $0.intersection($1.certificates)
    }
    unreadable = readings.map(\.unreadable).max() ?? 0
    var seen: Set<Certificate> = []
    written = ((authority.map { [$0] } ?? []) + entries).flatMap(\.certificates)
      .filter { seen.insert($0).inserted }
  }

  /// The authority that the machine issues from: the first certificate of its field.
  var issuing: Certificate? { authority?.certificates.first }

  /// The certificates of the accepted list, every one of every entry.
  var listed: [Certificate] { entries.flatMap(\.certificates) }

  /// The authorities that stand in the configuration and take no part in a rotation.
  func foreign(managed: Set<Certificate>) -> [Certificate] {
    written.filter { !managed.contains($0) }
  }
}

/// The order in which Talos joins an authority and the list beside it, without a separator.
enum JoinOrder {
  /// `machine.ca` (RootOSController), and `cluster.ca` before Talos 1.14.
  case authorityLast
  /// `issuingCA`, and `cluster.ca` from Talos 1.14 on (K8sAPIServerCAConfig).
  case authorityFirst

  func joined(_ authority: TrustEntry?, _ entries: [TrustEntry]) -> [TrustEntry] {
    guard let authority else { return entries }
    return self == .authorityFirst ? [authority] + entries : entries + [authority]
  }
}
