internal import Crypto
internal import RPC

/// apid of one machine: finds out who calls, and sends the call to machined on this machine, to
/// other machines, or back with a refusal.
struct ApidService: HTTPService {
  let node: SimulatedNode
  let machined: ServiceRouter
  let proxy: ApidProxy

  init(node: SimulatedNode, proxy: ApidProxy) {
    self.node = node
    self.proxy = proxy
    machined = .machined(of: node)
  }

  func accept(
    _ head: HTTPRequestHead, on stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    if node.servers.maintenance != nil {
      // Nobody is verified, everybody reads, and nothing is passed on.
      return machined.accept(Self.localHead(head, roles: [Role.reader]), on: stream)
    }
    let caller = stream.peer.certificates.first.flatMap(TrustPool.certificate)
    let path = head.path
    guard let caller else {
      return proxying { _, _, _ in
        throw RPCError(.unauthenticated, "the certificate cannot be read")
      }.accept(head, on: stream)
    }
    let metadata = Metadata(fields: head.fields)
    let roles = AccessRules.roles(
      organizations: caller.subjectOrganizations,
      metadata: metadata.texts(AccessRules.roleMetadata))
    let route = CallRouter.route(
      path: path, node: metadata.texts("node"), nodes: metadata.texts("nodes"),
      proxied: metadata[AccessRules.proxiedMetadata] != nil, forwards: node.isControlPlane,
      isLocal: {
        $0 == node.address || $0 == node.name || $0 == node.servers.sharedAddress
      })
    switch route {
    case .local:
      return machined.accept(Self.localHead(head, roles: roles), on: stream)
    case .forward(let target):
      return proxying { try await proxy.forward($0, $1, $2, path: path, to: target, roles: roles) }
        .accept(head, on: stream)
    case .aggregate(let targets) where CallRouter.isStreamed(path):
      return proxying {
        try await proxy.aggregateStream($0, $1, $2, path: path, to: targets, roles: roles)
      }.accept(head, on: stream)
    case .aggregate(let targets):
      return proxying {
        try await proxy.aggregate($0, $1, $2, path: path, to: targets, roles: roles)
      }.accept(head, on: stream)
    case .refuse(let code, let reason):
      return proxying { _, _, _ in throw RPCError(code.status, reason) }.accept(head, on: stream)
    }
  }

  private func proxying(
    _ body:
      @escaping @Sendable (
        RequestStream<[UInt8]>, ResponseWriter<[UInt8]>, ServerCall
      ) async throws -> Void
  ) -> ServiceRouter {
    var router = ServiceRouter()
    router.limits.requestMessageBytes = 32 << 20
    router.handleUnknown(body)
    return router
  }

  /// The request as machined gets it: addressing taken off, the caller's roles put on.
  private static func localHead(_ head: HTTPRequestHead, roles: Set<String>) -> HTTPRequestHead {
    let dropped: Set = [
      ":method", ":path", "node", "nodes", AccessRules.roleMetadata, AccessRules.proxiedMetadata,
    ]
    var fields = HeaderFields()
    fields.append(":method", head.method)
    fields.append(":path", head.path)
    for index in 0..<head.fields.count {
      let name = head.fields.name(index)
      if !dropped.contains(name) { fields.append(name, head.fields.value(index)) }
    }
    for role in roles.sorted() { fields.append(AccessRules.roleMetadata, role) }
    return HTTPRequestHead(
      fields: fields, methodField: 0, pathField: 1, isComplete: head.isComplete)
  }
}

extension CallRoute.RefusalCode {
  fileprivate var status: StatusCode {
    switch self {
    case .invalidArgument: .invalidArgument
    case .permissionDenied: .permissionDenied
    case .internalError: .internalError
    }
  }
}
