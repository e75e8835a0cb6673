import YAML

/// Comparing two configurations of one machine.
extension MachineConfig {
  /// Whether both say the same: the documents alike but for their order, with the same values under the
  /// same keys. Comments, styles, the order of keys, and anchors and aliases do not count; a key that is
  /// written out as null counts as absent.
  func means(sameAs other: MachineConfig) -> Bool { meaning == other.meaning }

  /// The documents, each with how often it stands there.
  private var meaning: [Meaning: Int] {
    var count: [Meaning: Int] = [:]
    for document in documents where !document.isNull { count[Meaning(document), default: 0] += 1 }
    return count
  }
}

/// A value without the way in which it is written.
private indirect enum Meaning: Hashable {
  case null
  case scalar(YAMLScalarKind, String)
  case sequence([Meaning])
  case mapping([String: Meaning])

  init(_ node: YAMLNode) {
    switch node.content {
    case .scalar(let scalar):
      if node.isNull {
        self = .null
      } else if let bool = node.bool {
        self = .scalar(.bool, "\(bool)")
      } else {
        self = .scalar(node.kind ?? .string, scalar.text)
      }
    case .sequence(let items): self = .sequence(items.map(Meaning.init))
    case .mapping(let entries):
      var fields: [String: Meaning] = [:]
      for entry in entries where !entry.value.isNull {
        fields[entry.name] = Meaning(entry.value)
      }
      self = .mapping(fields)
    }
  }
}
