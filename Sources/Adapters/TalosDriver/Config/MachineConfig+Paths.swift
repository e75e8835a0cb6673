import YAML

/// Where the CA fields stand, for edits and for people.
extension MachineConfig.Place {
  func document(in config: MachineConfig) -> Int {
    switch self {
    case .section: config.v1alpha1
    case .document(let index): index
    }
  }

  var authorityPath: [YAMLPathElement] {
    switch self {
    case .section(let name): [.key(name), "ca"]
    case .document: ["issuingCA"]
    }
  }

  var listPath: [YAMLPathElement] {
    switch self {
    case .section(let name): [.key(name), "acceptedCAs"]
    case .document: ["acceptedCAs"]
    }
  }

  /// The path of the text of one accepted authority.
  func entryPath(_ slot: Int) -> [YAMLPathElement] {
    switch self {
    case .section: listPath + [.index(slot), "crt"]
    case .document: listPath + [.index(slot)]
    }
  }

  /// An entry of the accepted list with this text.
  func entry(_ text: String) -> YAMLValue {
    switch self {
    case .section: ["crt": .string(text)]
    case .document: .string(text)
    }
  }

  /// The path as people write it: `machine.acceptedCAs[0].crt`.
  func name(of path: [YAMLPathElement]) -> String {
    var name = ""
    if case .document = self { name = "KubeAPIServerCAConfig" }
    for element in path {
      switch element {
      case .key(let key): name += name.isEmpty ? key : "." + key
      case .index(let index): name += "[\(index)]"
      }
    }
    return name
  }
}
