internal import Crypto

/// The certificates that machines issue for themselves and for others.
///
/// Lifetimes and usages are Talos' (facts: siderolabs/crypto, and the controllers under
/// internal/app/machined/pkg/controllers/secrets). `now` is the machine's own clock.
struct CertificateIssuing {
  static let apidLifetime: Int64 = 24 * 3600
  static let yearLifetime: Int64 = 365 * 24 * 3600

  private static let signatureAndEncipherment: Set<LeafRequest.KeyUsage> = [
    .digitalSignature, .keyEncipherment,
  ]

  var now: Int64

  /// apid's server certificate; trustd's as well.
  func machineServer(
    _ ca: PEMPair, name: String, address: String, sans: [String], key: KeyAlgorithm? = nil
  ) throws(CryptoError) -> PEMPair {
    let (addresses, names) = split([address] + sans, names: [name])
    return try issue(
      ca,
      LeafRequest(
        commonName: name, dnsNames: names, ipAddresses: addresses, usages: [.server],
        validity: Self.apidLifetime, keyAlgorithm: key))
  }

  /// What a control plane's apid shows to another machine's when it forwards a call.
  func impersonator(_ ca: PEMPair, name: String) throws(CryptoError) -> PEMPair {
    try issue(
      ca,
      LeafRequest(
        organizations: [Role.impersonator], commonName: name, usages: [.client],
        validity: Self.apidLifetime))
  }

  /// A client of the Talos API with these roles.
  func talosClient(
    _ ca: PEMPair, roles: [String], lifetime: Int64 = yearLifetime
  ) throws(CryptoError) -> PEMPair {
    try issue(ca, LeafRequest(organizations: roles, usages: [.client], validity: lifetime))
  }

  /// The cluster's administrator in Kubernetes.
  func kubernetesAdmin(_ ca: PEMPair) throws(CryptoError) -> PEMPair {
    try kubernetesClient(ca, user: "admin", group: "system:masters")
  }

  func kubernetesClient(
    _ ca: PEMPair, user: String, group: String
  ) throws(CryptoError) -> PEMPair {
    try issue(
      ca,
      LeafRequest(
        organizations: [group], commonName: user, usages: [.client],
        keyUsages: Self.signatureAndEncipherment, validity: Self.yearLifetime))
  }

  /// The set of certificates a control plane's Kubernetes components work with.
  func kubernetes(
    _ root: KubernetesRoot, name: String, addresses: [String]
  ) throws(CryptoError) -> KubernetesCertificates {
    let names = [
      name, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
      "kubernetes.default.svc.\(root.dnsDomain)",
    ]
    var server = try issue(
      root.issuing,
      LeafRequest(
        organizations: ["kube-master"], commonName: "kube-apiserver", dnsNames: names,
        ipAddresses: addresses + ["127.0.0.1", "10.96.0.1"], usages: [.server],
        keyUsages: Self.signatureAndEncipherment, validity: Self.yearLifetime))
    server.certificate += "\n" + root.issuing.certificate
    return KubernetesCertificates(
      apiServer: server,
      kubeletClient: try kubernetesClient(
        root.issuing, user: "apiserver-kubelet-client", group: "system:masters"),
      frontProxy: try issue(
        root.aggregatorCA ?? root.issuing,
        LeafRequest(
          commonName: "front-proxy-client", usages: [.client],
          keyUsages: Self.signatureAndEncipherment, validity: Self.yearLifetime)))
  }

  private func issue(_ ca: PEMPair, _ request: LeafRequest) throws(CryptoError) -> PEMPair {
    // Talos back-dates none of these: a clock that runs ahead shows.
    var request = request
    request.backdating = 0
    let identity = try ca.authority().issue(request, now: now)
    return PEMPair(certificate: identity.chainPEM, key: identity.keyPEM)
  }

  private func split(_ sans: [String], names: [String]) -> (addresses: [String], names: [String]) {
    var addresses: [String] = []
    var all = names
    for san in sans {
      let isAddress =
        san.allSatisfy { $0.isHexDigit || $0 == "." || $0 == ":" }
        && san.contains { $0 == "." || $0 == ":" } && !san.contains { $0.isLetter && $0 > "f" }
      if isAddress {
        if !addresses.contains(san) { addresses.append(san) }
      } else if !all.contains(san) {
        all.append(san)
      }
    }
    return (addresses, all)
  }
}
