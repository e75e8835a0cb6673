internal import RPC
internal import Schema

extension Session {
  /// The same, with the name that was probably meant where a cluster or a machine is not known.
  func suggesting(_ error: CommandError) async -> CommandError {
    guard error.code == .notFound, !cluster.isEmpty else { return error }
    let machine = invocation.arguments[LockCommands.machine.name]
    guard let near = await nearest(machine: machine) else { return error }
    var error = error
    error.hint = "did you mean '\(near)'? " + error.hint
    return error
  }

  /// Nil also when the server does not tell soon, or nothing is near.
  private func nearest(machine: String?) async -> String? {
    let options = CallOptions(timeout: .seconds(2), responseMessageBytes: 64 << 20)
    let clusters = try? await client.unary(
      ManagementServiceMethods.listClusters, ListClustersRequest(), options: options
    ).clusters
    guard let clusters else { return nil }
    guard let known = clusters.first(where: { $0.name == cluster }) else {
      return Suggestion.nearest(to: cluster, among: clusters.map(\.name))
    }
    guard let machine else { return nil }
    return Suggestion.nearest(to: machine, among: known.machines.map(\.name))
  }
}
