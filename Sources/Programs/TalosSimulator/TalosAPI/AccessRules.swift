/// A role that Talos knows. It stands in a client certificate's organizations.
enum Role {
  static let admin = "os:admin"
  static let operatorRole = "os:operator"
  static let reader = "os:reader"
  static let etcdBackup = "os:etcd:backup"
  static let impersonator = "os:impersonator"
}

/// Who may call what on a running machine, as machined decides it
/// (siderolabs/talos, internal/app/machined/pkg/system/services/machined.go).
enum AccessRules {
  /// The metadata key under which a proxying apid passes on its caller's roles.
  static let roleMetadata = "talos-role"
  /// The metadata key that marks a call as already proxied.
  static let proxiedMetadata = "proxyfrom"

  private static let administrators: Set<String> = [Role.admin]
  private static let operators: Set<String> = [Role.admin, Role.operatorRole]
  private static let readers: Set<String> = [Role.admin, Role.operatorRole, Role.reader]

  private static let rules: [String: Set<String>] = [
    "/machine.MachineService/ApplyConfiguration": administrators,
    "/machine.MachineService/GenerateClientConfiguration": administrators,
    "/machine.MachineService/Kubeconfig": administrators,
    "/machine.MachineService/Read": administrators,
    "/machine.MachineService/Restart": operators,
    "/machine.MachineService/ServiceRestart": operators,
    "/machine.MachineService/ServiceList": readers,
    "/machine.MachineService/Version": readers,
    "/machine.MachineService/Dmesg": readers,
    "/machine.MachineService/Logs": readers,
    "/cluster.ClusterService/HealthCheck": readers,
    "/machine.MachineService/EtcdStatus": readers.union([Role.etcdBackup]),
    "/machine.MachineService/EtcdMemberList": readers.union([Role.etcdBackup]),
    "/time.TimeService/Time": readers,
    "/time.TimeService/TimeCheck": readers,
    "/cosi.resource.State/Get": readers,
    "/cosi.resource.State/List": readers,
    "/cosi.resource.State/Watch": readers,
  ]

  /// Whether somebody with these roles may call the method. A method without a rule is for
  /// administrators only.
  static func allows(_ path: String, roles: Set<String>) -> Bool {
    !(rules[path] ?? administrators).isDisjoint(with: roles)
  }

  /// The roles of a call: those in the certificate, except that a caller who holds the impersonator
  /// role speaks with the roles it names in the metadata, if it names any.
  static func roles(organizations: [String], metadata: [String]) -> Set<String> {
    let own = parse(organizations)
    guard own.contains(Role.impersonator), !metadata.isEmpty else { return own }
    return parse(metadata)
  }

  private static func parse(_ names: [String]) -> Set<String> {
    Set(names.map { trim($0) }.filter { !$0.isEmpty })
  }

  private static func trim(_ text: String) -> String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    return String(text.drop(while: blank).reversed().drop(while: blank).reversed())
  }
}

/// Where a call goes that arrives at an apid.
enum CallRoute: Equatable {
  case local
  /// One machine, answered as if it had been called directly.
  case forward(to: String)
  /// Several machines: their answers joined into one message, or what they stream put together.
  case aggregate([String])
  case refuse(code: RefusalCode, reason: String)

  enum RefusalCode: Equatable { case invalidArgument, permissionDenied, internalError }
}

/// Decides the route from the metadata, as apid's director does
/// (siderolabs/talos, internal/app/apid/pkg/director/director.go).
enum CallRouter {
  private static let aggregated = [
    "/machine.MachineService/", "/cluster.ClusterService/", "/inspect.InspectService/",
    "/storage.StorageService/", "/time.TimeService/",
  ]

  /// - Parameters:
  ///   - node: the values of the `node` metadata key.
  ///   - nodes: the values of the `nodes` metadata key.
  ///   - proxied: whether another apid sent the call.
  ///   - forwards: whether this machine forwards calls; workers do not.
  ///   - isLocal: whether an address or host name is this machine's own.
  static func route(
    path: String, node: [String], nodes: [String], proxied: Bool, forwards: Bool,
    isLocal: (String) -> Bool
  ) -> CallRoute {
    if proxied { return .local }
    if node.count > 1 {
      return .refuse(code: .invalidArgument, reason: "node metadata must be single-valued")
    }
    if !nodes.isEmpty && (forwards || nodes.count > 1 || !isLocal(nodes[0])) {
      guard aggregated.contains(where: path.hasPrefix) else {
        return .refuse(
          code: .invalidArgument,
          reason: "one-2-many proxying is not supported for method \(path)")
      }
      guard forwards else {
        return .refuse(code: .permissionDenied, reason: "no request forwarding")
      }
      if let wrong = nodes.first(where: { !isTarget($0) }) { return invalid(wrong) }
      return .aggregate(nodes)
    }
    if let target = node.first {
      if forwards { return isTarget(target) ? .forward(to: target) : invalid(target) }
      if !isLocal(target) {
        return .refuse(code: .permissionDenied, reason: "no request forwarding")
      }
    }
    return .local
  }

  /// The methods whose answers are passed on message by message where several machines are asked.
  private static let streamed: Set<String> = [
    "/machine.MachineService/Copy", "/machine.MachineService/DiskUsage",
    "/machine.MachineService/Dmesg", "/machine.MachineService/EtcdSnapshot",
    "/machine.MachineService/Events", "/machine.MachineService/ImageList",
    "/machine.MachineService/Kubeconfig", "/machine.MachineService/List",
    "/machine.MachineService/DebugContainer", "/machine.MachineService/Logs",
    "/machine.MachineService/PacketCapture", "/machine.MachineService/Read",
    "/machine.LifecycleService/Install", "/machine.LifecycleService/Upgrade",
    "/cluster.ClusterService/HealthCheck",
  ]

  static func isStreamed(_ path: String) -> Bool {
    streamed.contains(path) || path.hasSuffix("Stream")
  }

  /// Whether a text may be a machine to pass a call on to: an address or name, without a port.
  static func isTarget(_ text: String) -> Bool {
    let colons = text.count { $0 == ":" }
    if text.isEmpty || colons == 1 { return false }
    return !(colons > 1 && text.hasPrefix("[") && text.contains("]:"))
  }

  private static func invalid(_ target: String) -> CallRoute {
    .refuse(code: .internalError, reason: "invalid target \"\(target)\"")
  }
}
