internal import Foundation
internal import Glibc

/// Writes what a user gets of a new cluster into a directory.
enum ClusterFiles {
  /// `talosconfig`, `kubeconfig`, `secrets.yaml` (mode 0600) and `nodes.json`.
  ///
  /// - Throws: `SimulatorError.setup`, naming the file that could not be written.
  static func write(_ cluster: SimulatedCluster, to directory: String) throws(SimulatorError) {
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
      throw .setup("cannot create \(directory): \(String(cString: strerror(errno)))")
    }
    try write(cluster.talosconfig, to: directory + "/talosconfig", mode: 0o600)
    try write(cluster.kubeconfig, to: directory + "/kubeconfig", mode: 0o600)
    try write(cluster.secretsBundle, to: directory + "/secrets.yaml", mode: 0o600)
    try write(nodesJSON(cluster), to: directory + "/nodes.json", mode: 0o644)
  }

  static func nodesJSON(_ cluster: SimulatedCluster) -> String {
    let nodes: [[String: Any]] = cluster.nodes.map { node in
      var entry: [String: Any] = [
        "name": node.name, "address": node.address, "role": node.type.rawValue,
        "port": cluster.port,
      ]
      if node.isControlPlane { entry["kubernetesPort"] = cluster.kubernetesPort }
      return entry
    }
    let object: [String: Any] = ["cluster": cluster.options.name, "nodes": nodes]
    let data = try? JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    return String(decoding: data ?? Data(), as: UTF8.self) + "\n"
  }

  /// Replaces the file as a whole, so that a reader sees the old one or the new one, and nobody
  /// but the owner sees a secret even for a moment.
  private static func write(
    _ text: String, to path: String, mode: mode_t
  ) throws(SimulatorError) {
    let temporary = path + ".new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else {
      throw .setup("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    do { try handle.write(contentsOf: Data(text.utf8)) } catch {
      unlink(temporary)
      throw .setup("cannot write \(path): \(error)")
    }
    try? handle.close()
    guard rename(temporary, path) == 0 else {
      unlink(temporary)
      throw .setup("cannot write \(path): \(String(cString: strerror(errno)))")
    }
  }
}
