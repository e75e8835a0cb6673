internal import Crypto
internal import Encodings
internal import RPC

/// kube-apiserver of one control plane: finds out who asks, and answers from the cluster's state.
struct KubernetesEndpoint: HTTPHandler {
  let hub: ClusterHub
  /// The CAs it accepts clients from now.
  let accepted: @Sendable () -> [Certificate]
  /// The machine's clock, in seconds since 1970.
  let clock: @Sendable () -> Int64
  let fault: @Sendable () -> Fault

  /// What is wrong with its answers.
  struct Fault: Sendable {
    /// With what it answers everybody whom it lets in; nil: as it should.
    var status: Int?
    /// Added to the time that every answer takes.
    var latency: Duration = .zero
  }

  func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let fault = fault()
    if fault.latency > .zero { try? await Task.sleep(for: fault.latency) }
    let identity = identify(request, peer)
    // Whom it refuses it refuses before anything else.
    if let status = fault.status, identity != .refused { return HTTPResponse(status: status) }
    let parsed = KubernetesRequest(
      method: request.method, target: request.path, identity: identity)
    let answer = KubernetesAPI.respond(to: parsed, await hub.snapshot())
    switch answer.effect {
    case .deleteExtensionAuthentication: await hub.extensionDeleted()
    case .deletePod(let name): await hub.podDeleted(name)
    case .deleteNode(let name): await hub.nodeDeleted(name)
    case nil: break
    }
    return HTTPResponse(
      status: answer.status,
      fields: HeaderFields([
        "content-type": answer.contentType, "cache-control": "no-cache, private",
        "date": HTTPDate.text(secondsSince1970: clock()),
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
        roots: accepted(), purpose: .client, at: clock())
    else { return .refused }
    guard let name = leaf.commonName, !name.isEmpty else { return .anonymous }
    return .user(name: name, groups: leaf.subjectOrganizations)
  }
}
