import Orchestrator
import ProtoCodec
import Rotation

/// Whoever owns the machines' configurations and writes them again: a rotation that goes past the owner is undone by it,
/// or leaves machines that it makes anew locked out.
enum ConfigurationOwner {
  /// The document and the resource of a machine that is managed over SideroLink, as Omni's are.
  static let sideroLinkKind = "SideroLinkConfig"

  /// - Parameter endpoint: where the machine's SideroLink resource says that its manager is; nil without one.
  static func omni(_ machine: Machine, config: [UInt8], endpoint: String?) -> Finding? {
    let hasDocument =
      (try? MachineConfig(config))?.documents(ofKind: sideroLinkKind).isEmpty == false
    guard hasDocument || endpoint != nil else { return nil }
    let place = endpoint.map { $0.isEmpty ? "" : " at \(PeerText.clean($0))" } ?? ""
    return Finding(
      .ownedConfig, machine.id,
      "\(machine.id) is managed by Omni\(place) (SideroLink), which writes its configuration: rotate the "
        + "CA there (omnictl of Sidero: secrets rotation of the cluster), or take the machine out of Omni; "
        + "--owner-ack goes on all the same, and Omni may write the old CA back")
  }

  /// The annotations that Cluster API puts on the node of a machine that it has made.
  private static let clusterName = "cluster.x-k8s.io/cluster-name"
  private static let annotations = [
    clusterName, "cluster.x-k8s.io/cluster-namespace", "cluster.x-k8s.io/machine",
    "cluster.x-k8s.io/owner-kind",
  ]

  /// - Parameter objects: the Kubernetes nodes.
  static func clusterAPI(_ objects: [JSONValue]) -> Finding? {
    let owned = objects.filter { object in
      annotations.contains { object["metadata"]?["annotations"]?[$0] != nil }
    }
    guard let first = owned.first else { return nil }
    let cluster = PeerText.clean(
      first["metadata"]?["annotations"]?[clusterName]?.string ?? "of a name that is not told")
    let names = owned.map { PeerText.clean($0.objectName) }.sorted()
    let others = names.count > 1 ? " and \(names.count - 1) more" : ""
    return Finding(
      .ownedConfig, "",
      "Cluster API (cluster \(cluster)) has made the nodes \(names[0])\(others): machines that it makes "
        + "get the old CA from its Secrets (\(cluster)-talos, \(cluster)-ca in the management cluster), and "
        + "are locked out; pause its reconciliation and write the new CA there after the rotation, then "
        + "give --owner-ack")
  }
}
