internal import Encodings
internal import Schema
internal import YAML

extension Talos.OSRootSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "issuingCA": .pair(issuingCA), "acceptedCAs": .certificates(acceptedCAs),
      "certSANIPs": .texts(certSANIPs.map(\.text)), "certSANDNSNames": .texts(certSANDNSNames),
      "token": .string(token),
    ]
  }
}

extension Talos.KubernetesRootSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "name": .string(name), "endpoint": .address(endpoint),
      "local_endpoint": .address(localEndpoint), "certSANs": .texts(certSANs),
      "apiServerIPs": .texts(apiServerIPs.map(\.text)), "dnsDomain": .string(dnsDomain),
      "issuingCA": .pair(issuingCA), "acceptedCAs": .certificates(acceptedCAs),
      "serviceAccount": serviceAccount.map { ["key": .base64($0.key)] } ?? .null,
      "aggregatorCA": .pair(aggregatorCA),
      "aesCBCEncryptionSecret": .string(aescbcEncryptionSecret),
      "bootstrapTokenID": .string(bootstrapTokenID),
      "bootstrapTokenSecret": .string(bootstrapTokenSecret),
      "secretboxEncryptionSecret": .string(secretboxEncryptionSecret),
    ]
  }
}

extension Talos.APICertsSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "acceptedCAs": .certificates(acceptedCAs), "client": .pair(client), "server": .pair(server),
      "skipVerifyingClientCert": .bool(skipVerifyingClientCert),
    ]
  }
}

extension Talos.TrustdCertsSpec: YAMLSpec {
  var yaml: YAMLValue { ["acceptedCAs": .certificates(acceptedCAs), "server": .pair(server)] }
}

extension Talos.KubeletSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "endpoint": .address(endpoint), "acceptedCAs": .certificates(acceptedCAs),
      "bootstrapTokenID": .string(bootstrapTokenID),
      "bootstrapTokenSecret": .string(bootstrapTokenSecret),
    ]
  }
}

extension Talos.KubernetesDynamicCertsSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "apiServer": .pair(apiServer), "apiServerKubeletClient": .pair(apiServerKubeletClient),
      "frontProxy": .pair(frontProxy),
    ]
  }
}

/// Values as Talos writes them.
extension YAMLValue {
  static func texts(_ list: [String]) -> YAMLValue { .sequence(list.map(YAMLValue.string)) }

  static func base64(_ bytes: [UInt8]) -> YAMLValue { .string(Base64.encode(bytes)) }

  static func pair(_ pair: Talos.PEMEncodedCertificateAndKey?) -> YAMLValue {
    pair.map { ["crt": .base64($0.crt), "key": .base64($0.key)] } ?? .null
  }

  static func certificates(_ list: [Talos.PEMEncodedCertificate]) -> YAMLValue {
    .sequence(list.map { ["crt": .base64($0.crt)] })
  }

  /// A URL in its parts, as Go's yaml writes one.
  static func address(_ url: Talos.URL?) -> YAMLValue {
    guard let text = url?.fullPath, let parts = try? GoURL(text) else { return .null }
    return [
      "scheme": .string(parts.scheme), "opaque": "", "user": .null, "host": .string(parts.host),
      "path": .string(parts.path), "fragment": "", "rawquery": "", "rawpath": "", "rawfragment": "",
      "forcequery": false, "omithost": false,
    ]
  }

  init(_ object: ProtoStruct) {
    self = .mapping(
      object.fieldValues.sorted { $0.key < $1.key }.map { Field($0.key, YAMLValue($0.value)) })
  }

  init(_ value: ProtoValue) {
    switch value.kind {
    case .string(let text): self = .string(text)
    case .bool(let flag): self = .bool(flag)
    case .number(let number):
      self = Int(exactly: number).map(YAMLValue.integer) ?? .string("\(number)")
    case .structure(let object): self = YAMLValue(object)
    case .list(let list): self = .sequence(list.values.map(YAMLValue.init))
    case .null, nil: self = .null
    }
  }
}

extension Talos.NetIP {
  /// The address in digits.
  var text: String { ip.map { "\($0)" }.joined(separator: ".") }
}

extension Talos.ConfigMachineType {
  var yamlName: String { MachineTypeName.of(rawValue) }
}

extension Talos.MachineType {
  var yamlName: String { MachineTypeName.of(rawValue) }
}

/// What Talos calls the types of machines, by their number.
private enum MachineTypeName {
  static func of(_ number: Int32) -> String {
    let names = ["unknown", "init", "controlplane", "worker"]
    return names.indices.contains(Int(number)) ? names[Int(number)] : names[0]
  }
}

extension Talos.RuntimeMachineStage {
  /// What Talos calls the stage.
  var yamlName: String {
    switch self {
    case .booting: "booting"
    case .installing: "installing"
    case .maintenance: "maintenance"
    case .running: "running"
    case .rebooting: "rebooting"
    case .shuttingDown: "shutting down"
    case .resetting: "resetting"
    case .upgrading: "upgrading"
    default: "unknown"
    }
  }
}
