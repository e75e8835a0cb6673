/// What a certificate for one program or person is to say.
public struct LeafRequest: Sendable, Hashable {
  /// Extended key usage: which side of a TLS connection the certificate is for.
  public enum Usage: Sendable, Hashable {
    case client
    case server
  }

  public enum KeyUsage: Sendable, Hashable {
    case digitalSignature
    case keyEncipherment
  }

  /// The subject's organizations; Talos reads roles from them, Kubernetes groups.
  public var organizations: [String]
  public var commonName: String?
  public var dnsNames: [String]
  /// IP addresses in text form.
  public var ipAddresses: [String]
  public var usages: Set<Usage>
  public var keyUsages: Set<KeyUsage>
  /// Seconds from now to the end of validity.
  public var validity: Int64
  /// Seconds by which the validity begins before now.
  public var backdating: Int64
  /// The kind of key to make; nil follows the authority's.
  public var keyAlgorithm: KeyAlgorithm?

  public init(
    organizations: [String] = [], commonName: String? = nil, dnsNames: [String] = [],
    ipAddresses: [String] = [], usages: Set<Usage>, keyUsages: Set<KeyUsage> = [.digitalSignature],
    validity: Int64, backdating: Int64 = Authority.backdating, keyAlgorithm: KeyAlgorithm? = nil
  ) {
    self.organizations = organizations
    self.commonName = commonName
    self.dnsNames = dnsNames
    self.ipAddresses = ipAddresses
    self.usages = usages
    self.keyUsages = keyUsages
    self.validity = validity
    self.backdating = backdating
    self.keyAlgorithm = keyAlgorithm
  }

  /// Grants the names that a certificate request asks for.
  public init(
    following request: CertificateRequest, usages: Set<Usage>,
    keyUsages: Set<KeyUsage> = [.digitalSignature], validity: Int64
  ) {
    self.init(
      organizations: request.subjectOrganizations, commonName: request.commonName,
      dnsNames: request.dnsNames, ipAddresses: request.ipAddresses, usages: usages,
      keyUsages: keyUsages, validity: validity)
  }

  /// Seconds of a day.
  public static let day: Int64 = 86_400
  /// Seconds of a year of 365 days.
  public static let year: Int64 = 365 * day

  /// A person's or program's access to the Talos API; a year, as Talos gives.
  public static func talosClient(
    roles: [String] = ["os:admin"], validity: Int64 = year
  ) -> LeafRequest {
    LeafRequest(organizations: roles, usages: [.client], validity: validity)
  }

  /// The Talos API server's certificate on one machine, whose first DNS name is its common name; a
  /// day.
  public static func apidServer(dnsNames: [String], ipAddresses: [String]) -> LeafRequest {
    LeafRequest(
      commonName: dnsNames.first, dnsNames: dnsNames, ipAddresses: ipAddresses, usages: [.server],
      validity: day)
  }

  /// What a control plane's Talos API presents to the machines it forwards calls to; a day.
  public static func apidClient() -> LeafRequest {
    LeafRequest(organizations: ["os:impersonator"], usages: [.client], validity: day)
  }

  /// Kubernetes' administrator; a year, as Talos gives.
  public static func kubernetesAdmin(validity: Int64 = year) -> LeafRequest {
    LeafRequest(
      organizations: ["system:masters"], commonName: "admin", usages: [.client],
      keyUsages: [.digitalSignature, .keyEncipherment], validity: validity)
  }

  /// A Kubernetes API server; a year.
  public static func kubeAPIServer(dnsNames: [String], ipAddresses: [String]) -> LeafRequest {
    LeafRequest(
      organizations: ["kube-master"], commonName: "kube-apiserver", dnsNames: dnsNames,
      ipAddresses: ipAddresses, usages: [.server],
      keyUsages: [.digitalSignature, .keyEncipherment], validity: year)
  }

  /// What a Kubernetes API server presents to kubelets; a year.
  public static func apiServerKubeletClient() -> LeafRequest {
    LeafRequest(
      organizations: ["system:masters"], commonName: "apiserver-kubelet-client",
      usages: [.client], keyUsages: [.digitalSignature, .keyEncipherment], validity: year)
  }

  /// A kubelet's access to the Kubernetes API; a year.
  public static func kubeletClient(nodeName: String) -> LeafRequest {
    LeafRequest(
      organizations: ["system:nodes"], commonName: "system:node:\(nodeName)", usages: [.client],
      validity: year)
  }

  /// A kubelet's own server; a year.
  public static func kubeletServer(
    nodeName: String, dnsNames: [String], ipAddresses: [String]
  ) -> LeafRequest {
    LeafRequest(
      organizations: ["system:nodes"], commonName: "system:node:\(nodeName)",
      dnsNames: dnsNames, ipAddresses: ipAddresses, usages: [.server], validity: year)
  }

  /// The extended key usage in OpenSSL's text form; nil for none.
  var usageText: String? {
    let words = [(Usage.server, "serverAuth"), (.client, "clientAuth")]
    let text = words.filter { usages.contains($0.0) }.map(\.1).joined(separator: ",")
    return text.isEmpty ? nil : text
  }

  /// The key usage in OpenSSL's text form; nil for none.
  var keyUsageText: String? {
    let words = [
      (KeyUsage.digitalSignature, "digitalSignature"), (.keyEncipherment, "keyEncipherment"),
    ]
    let text = words.filter { keyUsages.contains($0.0) }.map(\.1).joined(separator: ",")
    return text.isEmpty ? nil : text
  }
}
