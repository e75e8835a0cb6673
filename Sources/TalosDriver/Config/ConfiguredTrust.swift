import Crypto
import Orchestrator
import Rotation
import YAML

/// A component's authorities as a machine's configuration has them.
struct ConfiguredTrust {
  /// The authority of `machine.ca`, `cluster.ca` or `issuingCA`. Nil on a worker that only lists what it
  /// accepts.
  var issuing: Certificate?
  /// The issuing authority's private key as the configuration holds it, on control planes. Held no
  /// longer than it takes to compare or seal it.
  var issuingKeyPEM: String?
  /// The list of accepted authorities, as written.
  var listed: [Certificate]

  /// Everything the machine accepts by this configuration, none twice.
  var accepted: Set<Certificate> { Set(listed).union(issuing.map { [$0] } ?? []) }
}

extension MachineConfig {
  /// Reads a component's authorities.
  ///
  /// - Throws: `.invalidConfig` for what Talos would not run with: no authority at all, a control plane
  ///   without a key, a worker with one, values that are not certificates.
  func trust(_ component: SecretComponent) throws(DriverError) -> ConfiguredTrust {
    let place = try place(of: component)
    let holder: YAMLNode?
    let authority: YAMLNode?
    switch place {
    case .section(let name):
      holder = root[name]
      authority = holder?["ca"]
    case .document(let index):
      holder = documents[index]
      authority = holder?["issuingCA"]
    }
    let authorityName = place.authorityName
    let certificateText = authority?[place.certificateKey]?.text ?? ""
    var trust = ConfiguredTrust(
      issuing: nil, issuingKeyPEM: nil, listed: try listed(holder?["acceptedCAs"], place))
    if !certificateText.isEmpty {
      trust.issuing = try certificate(certificateText, place, authorityName)
    }
    let keyText = authority?["key"]?.text ?? ""
    switch role {
    case .controlPlane:
      guard trust.issuing != nil, !keyText.isEmpty else {
        throw DriverError(
          .invalidConfig, "\(authorityName) of this control plane has no certificate and key")
      }
      trust.issuingKeyPEM = try pem(keyText, place, authorityName + ".key")
    case .worker:
      guard keyText.isEmpty else {
        throw DriverError(.invalidConfig, "\(authorityName) of this worker holds a private key")
      }
      guard !trust.accepted.isEmpty else {
        throw DriverError(.invalidConfig, "this worker has no certificate in \(authorityName)")
      }
    }
    return trust
  }

  private func listed(
    _ node: YAMLNode?, _ place: Place
  ) throws(DriverError) -> [Certificate] {
    guard let node, !node.isNull else { return [] }
    guard let items = node.items else {
      throw DriverError(.invalidConfig, "\(place.acceptedName) is not a list")
    }
    var certificates: [Certificate] = []
    for (index, item) in items.enumerated() {
      let text: String? =
        switch place {
        case .section: item["crt"]?.text
        case .document: item.text
        }
      let name = "\(place.acceptedName)[\(index)]"
      guard let text else { throw DriverError(.invalidConfig, "\(name) holds no certificate") }
      certificates.append(try certificate(text, place, name))
    }
    return certificates
  }

  private func certificate(
    _ text: String, _ place: Place, _ name: String
  ) throws(DriverError) -> Certificate {
    let found = try? Certificate.bundle(pem: pem(text, place, name))
    guard let certificate = found?.first else {
      throw DriverError(.invalidConfig, "\(name) is no certificate")
    }
    guard found?.count == 1 else {
      throw DriverError(
        .invalidConfig, "\(name) holds several certificates: give each an entry of its own")
    }
    return certificate
  }

  private func pem(_ text: String, _ place: Place, _ name: String) throws(DriverError) -> String {
    guard case .section = place else { return text }
    guard let bytes = Base64.decodeFolded(text) else {
      throw DriverError(.invalidConfig, "\(name) is not base64")
    }
    return String(decoding: bytes, as: UTF8.self)
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

  /// The field of the authority that holds the certificate.
  var certificateKey: String {
    switch self {
    case .section: "crt"
    case .document: "cert"
    }
  }
}
