internal import Crypto
internal import RPC

/// kube-apiserver of one control plane: finds out who asks, and answers from the cluster's state.
struct KubernetesEndpoint: HTTPHandler {
  let hub: ClusterHub
  /// The CAs it accepts clients from since it was started.
  let accepted: [Certificate]

  init(hub: ClusterHub, accepted: [String]) {
    self.hub = hub
    self.accepted = TrustPool.certificates(accepted)
  }

  func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let identity = identify(request, peer)
    let parsed = KubernetesRequest(
      method: request.method, target: request.path, identity: identity)
    let answer = KubernetesAPI.respond(to: parsed, await hub.snapshot())
    switch answer.effect {
    case .deleteExtensionAuthentication: await hub.extensionDeleted()
    case .deleteNode(let name): await hub.nodeDeleted(name)
    case nil: break
    }
    return HTTPResponse(
      status: answer.status,
      fields: HeaderFields([
        "content-type": answer.contentType, "cache-control": "no-cache, private",
      ]),
      body: answer.body)
  }

  /// As kube-apiserver's authenticators: a certificate that no accepted CA verifies is refused; one
  /// without a common name says nothing; no credential at all is anonymous; tokens are not known.
  private func identify(_ request: HTTPRequest, _ peer: Peer) -> KubernetesIdentity {
    if request.fields.first("authorization") != nil { return .refused }
    guard let first = peer.certificates.first else { return .anonymous }
    guard let leaf = try? Certificate(der: first),
      ChainVerification.accepts(
        leaf, intermediates: peer.certificates.dropFirst().compactMap { try? Certificate(der: $0) },
        roots: accepted, purpose: .client, at: WallClock.seconds())
    else { return .refused }
    guard let name = leaf.commonName, !name.isEmpty else { return .anonymous }
    return .user(name: name, groups: leaf.subjectOrganizations)
  }
}
