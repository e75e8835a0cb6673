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
    let page = try? await client.unary(
      ManagementServiceMethods.listClusters, ListClustersRequest(), options: options)
    // Of more than a page what is nearest is not known, and a name that is on another page would seem unknown.
    guard let page, page.nextPageToken.isEmpty else { return nil }
    let clusters = page.clusters
    guard let known = clusters.first(where: { $0.name == cluster }) else {
      return Suggestion.nearest(to: cluster, among: clusters.map(\.name))
    }
    guard let machine else { return nil }
    return Suggestion.nearest(to: machine, among: known.machines.map(\.name))
  }
}
