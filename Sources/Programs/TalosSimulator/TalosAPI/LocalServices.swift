internal import RPC

/// The roles of a call on their way from apid to machined, which stand in its metadata.
enum CallerRoles {
  static func of(_ call: ServerCall) -> Set<String> {
    AccessRules.roles(
      organizations: [Role.impersonator], metadata: call.metadata.texts(AccessRules.roleMetadata))
  }
}

/// machined's checks before any handler: the caller's role, and the machine's own slowness.
struct MachinedGate: ServerInterceptor {
  let node: SimulatedNode

  func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    node.servers.hub.calls.add(call.path)
    let latency = await node.faults.latency
    if latency > .zero { try await Task.sleep(for: latency) }
    let isInstallation =
      call.path == "/machine.MachineService/ApplyConfiguration" && node.servers.maintenance != nil
    guard isInstallation || AccessRules.allows(call.path, roles: CallerRoles.of(call)) else {
      throw RPCError(.permissionDenied, "not authorized")
    }
    try await next()
  }
}

extension ServiceRouter {
  /// Everything that machined serves on a machine.
  static func machined(of node: SimulatedNode) -> ServiceRouter {
    var router = ServiceRouter(interceptors: [MachinedGate(node: node)])
    router.limits.requestMessageBytes = 32 << 20
    MachineService(node: node).register(in: &router)
    CosiService(node: node).register(in: &router)
    LogService(node: node).register(in: &router)
    HealthCheck(node: node).register(in: &router)
    return router
  }
}

extension Metadata {
  /// The text values of a key, in order.
  func texts(_ key: String) -> [String] {
    values(key).compactMap { if case .text(let text) = $0 { text } else { nil } }
  }
}
