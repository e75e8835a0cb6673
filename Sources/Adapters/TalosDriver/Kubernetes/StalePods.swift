import Orchestrator
import ProtoCodec
import Rotation

/// Which pods have read something before it changed. Judges objects of the Kubernetes API, and asks nobody.
struct StalePods {
  /// What pods read as files or variables.
  struct Source: Hashable {
    enum Kind: Hashable { case configMap, secret }
    var kind: Kind
    var namespace: String
    var name: String
  }

  /// When each source changed for the last time.
  var changes: [Source: Instant]
  /// What the holders are called.
  var kind: StaleHolder.Kind
  private(set) var holders: [StaleHolder] = []
  /// Where each owner stands among the holders.
  private var positions: [[String]: Int] = [:]

  init(_ kind: StaleHolder.Kind, changes: [Source: Instant]) {
    self.kind = kind
    self.changes = changes
  }

  /// Counts the pods of one page of a list.
  mutating func add(_ pods: [JSONValue]) {
    for pod in pods where isStale(pod) {
      let namespace = PeerText.clean(pod.objectNamespace)
      let owner = Self.owner(of: pod)
      if let index = positions[[namespace, owner]] {
        holders[index].count += 1
      } else {
        positions[[namespace, owner]] = holders.count
        holders.append(StaleHolder(kind, namespace: namespace, owner: owner))
      }
    }
  }

  private func isStale(_ pod: JSONValue) -> Bool {
    guard !pod.isTerminating,
      let changed = Self.sources(of: pod).compactMap({ changes[$0] }).max()
    else { return false }
    // A container that is started again reads all anew; one that waits has read nothing.
    return (pod["status"]?["containerStatuses"]?.array ?? []).contains { container in
      let text = container["state"]?["running"]?["startedAt"]?.string
      guard let started = text.flatMap({ Instant(rfc3339: $0) }) else { return false }
      // Both are known to the second: of one second the pod may have been first.
      return started <= changed
    }
  }

  /// The ConfigMaps and Secrets that a pod mounts, or has variables from.
  static func sources(of pod: JSONValue) -> Set<Source> {
    let namespace = pod.objectNamespace
    var sources: Set<Source> = []
    func add(_ kind: Source.Kind, _ name: String?) {
      guard let name else { return }
      sources.insert(Source(kind: kind, namespace: namespace, name: name))
    }
    for volume in pod["spec"]?["volumes"]?.array ?? [] {
      add(.configMap, volume["configMap"]?["name"]?.string)
      add(.secret, volume["secret"]?["secretName"]?.string)
      for source in volume["projected"]?["sources"]?.array ?? [] {
        add(.configMap, source["configMap"]?["name"]?.string)
        add(.secret, source["secret"]?["name"]?.string)
      }
    }
    for container in pod["spec"]?["containers"]?.array ?? [] {
      for variable in container["env"]?.array ?? [] {
        add(.configMap, variable["valueFrom"]?["configMapKeyRef"]?["name"]?.string)
        add(.secret, variable["valueFrom"]?["secretKeyRef"]?["name"]?.string)
      }
      for variables in container["envFrom"]?.array ?? [] {
        add(.configMap, variables["configMapRef"]?["name"]?.string)
        add(.secret, variables["secretRef"]?["name"]?.string)
      }
    }
    return sources
  }

  /// What a person restarts: the controller of the pod, for a ReplicaSet of a Deployment that one, else the pod.
  static func owner(of pod: JSONValue) -> String {
    let owners = pod["metadata"]?["ownerReferences"]?.array ?? []
    let controller = owners.first { $0["controller"]?.bool == true }
    guard let controller, let kind = controller["kind"]?.string,
      let name = controller["name"]?.string
    else { return "pod/" + PeerText.clean(pod.objectName) }
    let owner: String
    switch kind {
    case "ReplicaSet":
      let hash = pod["metadata"]?["labels"]?["pod-template-hash"]?.string ?? ""
      owner =
        !hash.isEmpty && name.hasSuffix("-" + hash)
        ? "deployment/" + name.dropLast(hash.utf8.count + 1) : "replicaset/" + name
    case "DaemonSet", "StatefulSet": owner = kind.lowercased() + "/" + name
    // Jobs are not started again, and a mirror pod's owner is its node.
    default: owner = "pod/" + pod.objectName
    }
    return PeerText.clean(owner)
  }

  /// When the data of a ConfigMap or Secret was written last, as its managed fields tell. Nil where they do not.
  ///
  /// - Parameter latest: no later time counts, because whatever was written later is the same.
  static func changed(_ object: JSONValue, latest: Instant) -> Instant? {
    let times = (object["metadata"]?["managedFields"]?.array ?? []).compactMap {
      entry -> Instant? in
      guard entry["fieldsV1"]?["f:data"] != nil else { return nil }
      return entry["time"]?.string.flatMap { Instant(rfc3339: $0) }
    }
    return times.max().map { min($0, latest) }
  }
}

extension JSONValue {
  var objectNamespace: String { self["metadata"]?["namespace"]?.string ?? "" }
}
