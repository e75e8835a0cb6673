import Crypto
import Orchestrator
import Rotation
import YAML

/// What a rotation has to know of a machine's configuration. Read-only; ``MachineConfigEditor`` edits.
///
/// The configuration is a stream of documents. One, without a `kind`, is the v1alpha1 document; the
/// others name theirs. The Talos CA always stands in the v1alpha1 document. The Kubernetes CA stands in
/// a `KubeAPIServerCAConfig` document if there is one (Talos 1.14 and later write it), else in the
/// v1alpha1 document too.
struct MachineConfig {
  /// Where a component's authority is written.
  enum Place: Hashable {
    /// `machine.ca` or `cluster.ca` of the v1alpha1 document: base64 of PEM.
    case section(String)
    /// A `KubeAPIServerCAConfig` document: PEM as it is.
    case document(Int)
  }

  let documents: [YAMLNode]
  /// The index of the v1alpha1 document.
  let v1alpha1: Int
  let role: MachineRole

  /// - Throws: `.invalidConfig` for what no running machine can hold, for a redacted configuration,
  ///   and for one written in a way that is not understood.
  init(_ bytes: [UInt8]) throws(DriverError) {
    let documents: [YAMLNode]
    do {
      documents = try YAMLParser.parse(bytes)
    } catch {
      throw DriverError(
        .invalidConfig,
        "the machine's configuration cannot be read: \(error)"
          + (error.code == .limitExceeded
            ? ""
            : "; Talos may read it all the same: put the value there in double quotes, or apply the "
              + "configuration once as talosctl writes it, then try again"))
    }
    let found = documents.indices.filter { index in
      documents[index].entries != nil && documents[index]["kind"]?.text == nil
    }
    guard let first = found.first, documents[first]["machine"] != nil else {
      throw DriverError(
        .invalidConfig, "the machine's configuration has no v1alpha1 document (none without a kind)"
      )
    }
    guard found.count == 1 else {
      throw DriverError(
        .invalidConfig, "the machine's configuration has more than one document without a kind")
    }
    self.documents = documents
    v1alpha1 = first
    if let redacted = Self.redactedPath(in: documents) {
      throw DriverError(
        .invalidConfig,
        "the machine's configuration is redacted (\(redacted) is ******): reading it needs os:admin"
      )
    }
    switch documents[first].node(at: ["machine", "type"])?.text {
    case "init", "controlplane": role = .controlPlane
    case "worker", "join", "", nil: role = .worker
    default:
      throw DriverError(.invalidConfig, "machine.type is neither controlplane, init nor worker")
    }
  }

  /// The document that everything but the Kubernetes CA is read from.
  var root: YAMLNode { documents[v1alpha1] }

  /// The documents of a kind, as Talos names it.
  func documents(ofKind kind: String) -> [Int] {
    documents.indices.filter { documents[$0]["kind"]?.text == kind }
  }

  /// Where a component's authority is written in this configuration.
  ///
  /// - Throws: `.invalidConfig` if it is written twice, nowhere, or by way of YAML merge keys.
  func place(of component: SecretComponent) throws(DriverError) -> Place {
    let place: Place
    switch component {
    case .talosCA: place = .section("machine")
    case .kubernetesCA:
      let found = documents(ofKind: "KubeAPIServerCAConfig")
      guard found.count < 2 else {
        throw DriverError(
          .invalidConfig, "there are \(found.count) KubeAPIServerCAConfig documents")
      }
      if let index = found.first {
        if let legacy = root.node(at: ["cluster", "ca"]), !legacy.isNull {
          throw DriverError(
            .invalidConfig,
            "the Kubernetes CA stands both in cluster.ca and in a KubeAPIServerCAConfig document")
        }
        place = .document(index)
      } else {
        place = .section("cluster")
      }
    }
    let holders: [(String, YAMLNode?)] =
      switch place {
      case .section(let name):
        [("the document", root), (name, root[name]), (name + ".ca", root[name]?["ca"])]
      case .document(let index):
        [("the document", documents[index]), ("issuingCA", documents[index]["issuingCA"])]
      }
    for (name, holder) in holders where holder?["<<"] != nil {
      throw DriverError(
        .invalidConfig, "\(name) uses a YAML merge key (<<): write its fields out before rotating")
    }
    return place
  }
}
