import Crypto
import Encodings
import Orchestrator
import Rotation
import YAML

/// Reading a component's authorities.
extension MachineConfig {
  /// More accepted authorities than any cluster has.
  private static let maximumEntries = 64

  /// Whether the configuration holds a Kubernetes CA. Machines without Kubernetes (Talos 1.14) have
  /// none, and `trust(.kubernetesCA)` throws for them.
  ///
  /// - Throws: `.invalidConfig` if it stands in two places.
  var hasKubernetes: Bool {
    get throws(DriverError) {
      let place = try place(of: .kubernetesCA)
      return authorityText(place) != nil || keyText(place) != nil
        || !(holder(place)?["acceptedCAs"]?.items ?? []).isEmpty
    }
  }

  /// Reads a component's authorities.
  ///
  /// - Throws: `.invalidConfig` for what Talos would not run with: no authority at all, a control plane
  ///   without a key, a worker with one, values that are not certificates.
  func trust(_ component: SecretComponent) throws(DriverError) -> ConfiguredTrust {
    let trust = try writtenTrust(component)
    guard role == .worker || trust.issuingKey != nil else {
      let name = try place(of: component).authorityName
      throw DriverError(
        .invalidConfig, "\(name) of this control plane has no certificate and key")
    }
    return trust
  }

  /// As ``trust(_:)``, but a control plane may lack its key.
  func writtenTrust(_ component: SecretComponent) throws(DriverError) -> ConfiguredTrust {
    let place = try place(of: component)
    let authorityName = place.authorityName
    var authority: TrustEntry?
    if let text = authorityText(place) {
      authority = try entry(text, place, authorityName)
    }
    let key = keyText(place)
    let entries = try entries(holder(place)?["acceptedCAs"], place)
    let trust = ConfiguredTrust(
      authority: authority, entries: entries,
      issuingKey: role == .worker
        ? nil
        : try key.map { text throws(DriverError) in
          SecretBytes(copying: Array(try pem(text, place, authorityName + ".key").utf8))
        },
      orders: place.joinOrders)
    switch role {
    case .controlPlane:
      guard trust.issuing != nil else {
        throw DriverError(
          .invalidConfig,
          component == .kubernetesCA && key == nil && entries.isEmpty
            ? "this control plane has no Kubernetes CA"
            : "\(authorityName) of this control plane has no certificate and key")
      }
    case .worker:
      guard key == nil else {
        throw DriverError(
          .invalidConfig,
          "\(authorityName) of this worker holds a private key, which belongs on control planes "
            + "alone: remove \(authorityName).key first, and count the CA as leaked")
      }
      guard !trust.written.isEmpty else {
        throw DriverError(.invalidConfig, "this worker has no certificate in \(authorityName)")
      }
    }
    return trust
  }

  private func holder(_ place: Place) -> YAMLNode? {
    switch place {
    case .section(let name): root[name]
    case .document(let index): documents[index]
    }
  }

  private func authorityText(_ place: Place) -> String? {
    nonEmpty(holder(place)?[place.authorityKey]?[place.certificateKey]?.text)
  }

  private func keyText(_ place: Place) -> String? {
    nonEmpty(holder(place)?[place.authorityKey]?["key"]?.text)
  }

  private func nonEmpty(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }

  private func entries(
    _ node: YAMLNode?, _ place: Place
  ) throws(DriverError) -> [TrustEntry] {
    guard let node, !node.isNull else { return [] }
    guard let items = node.items else {
      throw DriverError(.invalidConfig, "\(place.acceptedName) is not a list")
    }
    guard items.count <= Self.maximumEntries else {
      throw DriverError(
        .invalidConfig,
        "\(place.acceptedName) has \(items.count) entries; at most \(Self.maximumEntries) are read")
    }
    var entries: [TrustEntry] = []
    for (index, item) in items.enumerated() {
      let name = "\(place.acceptedName)[\(index)]"
      guard item["<<"] == nil else {
        throw DriverError(
          .invalidConfig, "\(name) uses a YAML merge key (<<): write its fields out before rotating"
        )
      }
      let value =
        switch place {
        case .section: item.isNull ? item : item["crt"]
        case .document: item
        }
      guard value?.scalar != nil || value == nil && item.entries != nil else {
        throw DriverError(.invalidConfig, "\(name) holds no certificate")
      }
      // Talos joins an empty entry as nothing.
      let text = value?.text ?? ""
      entries.append(text.isEmpty ? TrustEntry(text: "") : try entry(text, place, name))
    }
    return entries
  }

  private func entry(
    _ text: String, _ place: Place, _ name: String
  ) throws(DriverError) -> TrustEntry {
    let entry = TrustEntry(text: try pem(text, place, name))
    guard entry.unreadable == 0 else {
      throw DriverError(
        .invalidConfig, "\(name) holds a certificate that cannot be read: mend or remove it first")
    }
    guard !entry.certificates.isEmpty || entry.text.isEmpty else {
      throw DriverError(.invalidConfig, "\(name) is no certificate")
    }
    return entry
  }

  private func pem(_ text: String, _ place: Place, _ name: String) throws(DriverError) -> String {
    guard case .section = place else { return text }
    guard let bytes = Base64.decode(text, .folded),
      let pem = String(validating: bytes, as: UTF8.self)
    else { throw DriverError(.invalidConfig, "\(name) is not base64 of a PEM text") }
    return pem
  }
}

extension MachineConfig.Place {
  /// The field that holds the issuing authority, as people know it.
  var authorityName: String {
    switch self {
    case .section(let name): name + ".ca"
    case .document: "KubeAPIServerCAConfig.issuingCA"
    }
  }

  var acceptedName: String {
    switch self {
    case .section(let name): name + ".acceptedCAs"
    case .document: "KubeAPIServerCAConfig.acceptedCAs"
    }
  }

  /// The name of the authority's field.
  var authorityKey: String {
    switch self {
    case .section: "ca"
    case .document: "issuingCA"
    }
  }

  /// The field of the authority that holds the certificate.
  var certificateKey: String {
    switch self {
    case .section: "crt"
    case .document: "cert"
    }
  }

  /// How Talos joins authority and list; every release that may run has to read the list right.
  var joinOrders: [JoinOrder] {
    switch self {
    case .section("machine"): [.authorityLast]
    case .section: [.authorityLast, .authorityFirst]
    case .document: [.authorityFirst]
    }
  }
}
