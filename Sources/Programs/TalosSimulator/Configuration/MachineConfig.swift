internal import YAML

/// A machine's role as its config names it.
public enum MachineType: String, Sendable {
  case controlPlane = "controlplane"
  case worker

  public var isControlPlane: Bool { self == .controlPlane }
}

/// What the simulator needs of a machine config: a decoded view, made from the submitted text.
/// The text itself is kept beside it, since that is what the machine hands out.
struct MachineConfig: Sendable, Equatable {
  var type: MachineType
  var token: String
  var certificateSANs: [String]
  /// `.machine.ca`; a worker's has no key.
  var talosCA: PEMPair?
  /// `.machine.acceptedCAs`, without the issuing one.
  var talosAccepted: [String]
  var layout: ClusterOptions.Layout
  /// The Kubernetes CA with its key; nil on workers.
  var kubernetesIssuing: PEMPair?
  /// The accepted Kubernetes CAs in Talos' order: the configured CA first, then the extra ones.
  var kubernetesAccepted: [String]
  var clusterName: String
  var endpoint: String
  var dnsDomain: String
  var bootstrapToken: String
  var aggregatorCA: PEMPair?
  var serviceAccountKey: String
  var secretboxSecret: String
  var timeServer: String
  var hostname: String?
  var discovery: Discovery

  /// How a machine takes part in discovery.
  enum Discovery: Sendable, Equatable {
    /// Not at all: it publishes nothing, and its list of members is empty.
    case off
    /// Over no registry: it knows itself alone.
    case alone
    case shared
  }
}

/// Why a machine refuses a config, in the words it puts into the error.
struct ConfigRefusal: Error, Equatable {
  var problems: [String]

  init(_ problems: [String]) { self.problems = problems }

  /// One text, several problems counted as Talos' multi-error does.
  var message: String { problems.count == 1 ? problems[0] : Self.counted(problems) }

  /// Problems as a list with their number before it.
  static func counted(_ problems: [String]) -> String {
    "\(problems.count) error\(problems.count == 1 ? "" : "s") occurred:\n"
      + problems.map { "\t* \($0)\n" }.joined()
  }
}

/// The documents of a submitted config, sorted by what they are.
struct ConfigDocuments {
  var v1alpha1: YAMLNode?
  /// The other documents by kind; a kind may occur several times under different names.
  var others: [(kind: String, node: YAMLNode)]

  func first(_ kind: String) -> YAMLNode? { others.first { $0.kind == kind }?.node }

  /// Parses and sorts the text.
  ///
  /// - Throws: what Talos' decoder refuses: text that is not YAML, a document that is not a mapping,
  ///   an unknown kind, a missing apiVersion, the same document twice, unknown fields.
  init(parsing source: [UInt8], talosMinor: Int) throws(ConfigRefusal) {
    let nodes: [YAMLNode]
    do {
      nodes = try YAMLParser.parse(source)
    } catch {
      throw ConfigRefusal(["decode error: \(error)"])
    }
    v1alpha1 = nil
    others = []
    var seen: Set<String> = []
    for node in nodes where !node.isNull {
      guard let entries = node.entries else {
        throw ConfigRefusal(["expected a YAML document at line \(node.line)"])
      }
      let kind = node["kind"]?.text ?? ""
      let version = node["apiVersion"]?.text ?? ""
      let legacyKeys: Set = ["machine", "cluster", "debug", "persist"]
      let isLegacy = kind.isEmpty && entries.contains { legacyKeys.contains($0.name) }
      let id = "\(version)/\(isLegacy ? "v1alpha1" : kind)/\(node["name"]?.text ?? "")"
      guard seen.insert(id).inserted else {
        throw ConfigRefusal(["duplicate document \(id) is not allowed (line \(node.line))"])
      }
      let shape: ConfigShape
      if isLegacy {
        v1alpha1 = node
        shape = ConfigSchema.v1alpha1
      } else if kind.isEmpty {
        throw Self.decoding(id, node, "missing kind")
      } else if version.isEmpty {
        throw Self.decoding(id, node, "missing apiVersion")
      } else if version == "v1alpha1",
        let known = ConfigSchema.shape(of: kind, talosMinor: talosMinor)
      {
        others.append((kind, node))
        shape = known
      } else {
        throw Self.decoding(id, node, "\"\(kind)\" \"\(version)\": not registered")
      }
      if let refusal = shape.refusal(of: node) {
        let isOfKind = refusal.hasPrefix("yaml:")
        throw Self.decoding(
          id, node,
          isOfKind
            ? "error decoding \(kind) to \(isLegacy ? "*v1alpha1.Config" : kind): \(refusal)"
            : refusal)
      }
    }
  }

  private static func decoding(_ id: String, _ node: YAMLNode, _ why: String) -> ConfigRefusal {
    ConfigRefusal(["error decoding document \(id) (line \(node.line)): \(why)"])
  }
}
