internal import ProtoCodec
internal import RPC
internal import Schema

/// `machine.MachineService` and `time.TimeService` of one machine: what machined answers once apid
/// has let a call through.
struct MachineService: Sendable {
  let node: SimulatedNode

  func register(in router: inout ServiceRouter) {
    router.handle(Talos.MachineServiceMethods.version) { (_: Empty, _) in await node.version() }
    router.handle(Talos.MachineServiceMethods.applyConfiguration) {
      (request: Talos.ApplyConfigurationRequest, _) in
      try await node.applyConfiguration(request)
    }
    router.handle(Talos.MachineServiceMethods.serviceList) { (_: Empty, _) in
      await node.serviceList()
    }
    router.handle(Talos.MachineServiceMethods.serviceRestart) {
      (request: Talos.ServiceRestartRequest, _) in
      try await node.restartService(request.id)
    }
    router.handle(Talos.MachineServiceMethods.restart) { (request: Talos.RestartRequest, _) in
      try await node.restartContainer(request)
    }
    router.handle(Talos.MachineServiceMethods.read) {
      (request: Talos.ReadRequest, writer: ResponseWriter<Talos.Data>, _) in
      let contents = try await node.readFile(request.path)
      // As Talos' chunker: pieces of a kilobyte.
      var rest = contents[...]
      while !rest.isEmpty {
        var data = Talos.Data()
        data.bytes = Array(rest.prefix(1024))
        try await writer.write(data)
        rest = rest.dropFirst(1024)
      }
    }
    router.handle(Talos.MachineServiceMethods.kubeconfig) {
      (_: Empty, writer: ResponseWriter<Talos.Data>, _) in
      var data = Talos.Data()
      data.bytes = try await node.kubeconfigArchive()
      try await writer.write(data)
    }
    router.handle(Talos.MachineServiceMethods.generateClientConfiguration) {
      (request: Talos.GenerateClientConfigurationRequest, _) in
      try await node.generateClientConfiguration(request)
    }
    router.handle(Talos.MachineServiceMethods.etcdMemberList) {
      (_: Talos.EtcdMemberListRequest, _) in
      try await node.etcdMembers()
    }
    router.handle(Talos.MachineServiceMethods.etcdStatus) { (_: Empty, _) in
      try await node.etcdStatus()
    }
    router.handle(Talos.TimeServiceMethods.time) { (_: Empty, _) in
      try await node.time(server: nil)
    }
    router.handle(Talos.TimeServiceMethods.timeCheck) { (request: Talos.TimeRequest, _) in
      try await node.time(server: request.server)
    }
  }
}

extension SimulatedNode {
  func version() -> Talos.VersionResponse {
    var info = Talos.VersionInfo()
    info.tag = options.effectiveTalosVersion
    info.sha = "51d0a17"
    info.goVersion = "go1.25.0"
    info.os = "linux"
    info.arch = "amd64"
    var version = Talos.Version()
    version.version = info
    var platform = Talos.PlatformInfo()
    platform.name = "metal"
    platform.mode = "metal"
    version.platform = platform
    var features = Talos.FeaturesInfo()
    features.rbac = true
    version.features = features
    var response = Talos.VersionResponse()
    response.messages = [version]
    return response
  }

  /// - Parameter server: the time server to ask; nil for the configuration's.
  func time(server named: String?) throws -> Talos.TimeResponse {
    let server = named ?? state.active.config.timeServer
    if server.isEmpty { throw RPCError(.invalidArgument, "ntp server is required") }
    if faults.timeServerDown {
      throw RPCError(
        .unknown,
        "error querying NTP server \"\(server)\": lookup \(server) on 127.0.0.53:53: server misbehaving"
      )
    }
    var time = Talos.Time()
    time.server = server
    time.localtime = Timestamp(nanoseconds: nowNanoseconds())
    time.remotetime = Timestamp(nanoseconds: WallClock.nanoseconds())
    var response = Talos.TimeResponse()
    response.messages = [time]
    return response
  }

  func serviceList() -> Talos.ServiceListResponse {
    var list = Talos.ServiceList()
    list.services = state.services.map { service in
      var info = Talos.ServiceInfo()
      info.id = service.id
      info.state = service.state
      var event = Talos.ServiceEvent()
      event.msg = service.healthy ? "Health check successful" : "Started task \(service.id)"
      event.state = service.state
      event.ts = Timestamp(nanoseconds: readySince * 1_000_000_000)
      var events = Talos.ServiceEvents()
      events.events = [event]
      info.events = events
      var health = Talos.ServiceHealth()
      health.unknown = service.isRunning && !service.healthy
      health.healthy = service.healthy
      health.lastChange = event.ts
      info.health = health
      return info
    }
    var response = Talos.ServiceListResponse()
    response.messages = [list]
    return response
  }

  func restartService(_ id: String) throws -> Talos.ServiceRestartResponse {
    guard state.service(id) != nil else {
      throw RPCError(.unknown, "service \"\(id)\" not defined")
    }
    guard id == "kubelet" || id.hasPrefix("ext-") else {
      throw RPCError(.unknown, "service \"\(id)\" doesn't support restart operation via API")
    }
    start(.kubelet)
    var restart = Talos.ServiceRestart()
    restart.resp = "Service \"\(id)\" restarted"
    var response = Talos.ServiceRestartResponse()
    response.messages = [restart]
    return response
  }

  func restartContainer(_ request: Talos.RestartRequest) throws -> Talos.RestartResponse {
    let containers = isControlPlane ? ["apid", "trustd"] : ["apid"]
    guard request.namespace == "system", containers.contains(request.id) else {
      throw RPCError(.unknown, "container \"\(request.id)\" not found")
    }
    if request.id == "apid" {
      let outage = options.timing.proxyOutage
      // After the answer is out: apid goes away and takes every connection with it.
      Task {
        try? await Task.sleep(for: .milliseconds(20))
        servers.apidRestarted(outage: outage)
      }
    }
    var response = Talos.RestartResponse()
    response.messages = [Talos.Restart()]
    return response
  }

  func etcdMembers() throws -> Talos.EtcdMemberListResponse {
    try requireControlPlane("etcd member list")
    var list = Talos.EtcdMembers()
    for (index, member) in members.filter({ $0.type.isControlPlane }).enumerated() {
      var entry = Talos.EtcdMember()
      entry.id = UInt64(index + 1)
      entry.hostname = member.name
      entry.peerURLs = member.addresses.suffix(1).map { "https://\($0):2380" }
      entry.clientURLs = member.addresses.suffix(1).map { "https://\($0):2379" }
      list.members.append(entry)
      list.legacyMembers.append(member.name)
    }
    var response = Talos.EtcdMemberListResponse()
    response.messages = [list]
    return response
  }

  func etcdStatus() throws -> Talos.EtcdStatusResponse {
    try requireControlPlane("etcd status")
    let controlPlanes = members.filter { $0.type.isControlPlane }
    var member = Talos.EtcdMemberStatus()
    member.memberID = UInt64((controlPlanes.firstIndex { $0.name == name } ?? 0) + 1)
    member.leader = 1
    member.protocolVersion = "3.6.4"
    member.storageVersion = "3.6.0"
    member.dbSize = 4 << 20
    member.dbSizeInUse = 2 << 20
    member.raftIndex = 1000
    member.raftAppliedIndex = 1000
    member.raftTerm = 2
    var status = Talos.EtcdStatus()
    status.memberStatus = member
    var response = Talos.EtcdStatusResponse()
    response.messages = [status]
    return response
  }

  func requireControlPlane(_ what: String) throws {
    if isControlPlane { return }
    throw RPCError(.unimplemented, "\(what) is only available on control plane nodes")
  }
}
