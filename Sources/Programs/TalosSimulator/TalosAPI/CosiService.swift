internal import ProtoCodec
internal import RPC
internal import Schema

/// `cosi.resource.State` of one machine, which Talos lets nobody change from outside.
struct CosiService: Sendable {
  let node: SimulatedNode

  func register(in router: inout ServiceRouter) {
    router.handle(Cosi.StateMethods.get) { request, call in
      try authorize(call, namespace: request.namespace, type: request.type)
      let key = ResourceStore.Key(
        namespace: request.namespace, type: request.type, id: request.id)
      guard let found = await node.resource(key) else {
        throw RPCError(
          .notFound,
          "resource \(request.type)(\(request.namespace)/\(request.id)@undefined) doesn't exist")
      }
      var response = Cosi.GetResponse()
      response.resource = Cosi.Resource(found)
      return response
    }
    router.handle(Cosi.StateMethods.list) { request, writer, call in
      try authorize(call, namespace: request.namespace, type: request.type)
      let filter = try ResourceFilter(
        labels: request.options?.labelQuery ?? [], id: request.options?.idQuery)
      let all = await node.resourceList(namespace: request.namespace, type: request.type)
      for resource in all where filter.matches(resource) {
        var response = Cosi.ListResponse()
        response.resource = Cosi.Resource(resource)
        try await writer.write(response)
      }
    }
    router.handle(Cosi.StateMethods.watch) { request, writer, call in
      try authorize(call, namespace: request.namespace, type: request.type)
      try await WatchSession(node: node, request: request, writer: writer).run()
    }
    router.limit(
      Cosi.StateMethods.watch, MethodLimits(concurrentCalls: WatchSession.limit))
    router.handle(Cosi.StateMethods.create) { request, _ in
      try refuseWrite(of: request.resource) as Cosi.CreateResponse
    }
    router.handle(Cosi.StateMethods.update) { request, _ in
      try refuseWrite(of: request.newResource) as Cosi.UpdateResponse
    }
    router.handle(Cosi.StateMethods.destroy) { (_: Cosi.DestroyRequest, _) in
      throw Self.writeRefusal
    }
  }

  private static var writeRefusal: RPCError {
    RPCError(.permissionDenied, "write access is not allowed")
  }

  /// What is written is decoded before the access policy is asked.
  private func refuseWrite<Response>(of resource: Cosi.Resource?) throws -> Response {
    guard let metadata = resource?.metadata else {
      throw RPCError(.unknown, "metadata is missing")
    }
    guard resource?.spec != nil else { throw RPCError(.unknown, "spec is missing") }
    if metadata.version != "undefined" && UInt64(metadata.version) == nil {
      throw RPCError(
        .unknown,
        "error parsing version: strconv.ParseUint: parsing \"\(metadata.version)\": invalid syntax")
    }
    throw Self.writeRefusal
  }

  private func authorize(_ call: ServerCall, namespace: String, type: String) throws {
    let roles = CallerRoles.of(call)
    if let refusal = ResourceCatalog.refusal(namespace: namespace, type: type, roles: roles) {
      throw RPCError(.permissionDenied, refusal)
    }
  }
}

/// The queries of a list or watch.
struct ResourceFilter {
  private let expression: Regex<AnyRegexOutput>?
  private let labels: [Cosi.LabelQuery]

  init(labels: [Cosi.LabelQuery], id: Cosi.IDQuery?) throws {
    self.labels = labels.filter { !$0.terms.isEmpty }
    guard let id, !id.regexp.isEmpty else {
      expression = nil
      return
    }
    do { expression = try Regex(id.regexp) } catch {
      throw RPCError(.invalidArgument, "the id query is not a regular expression")
    }
  }

  func matches(_ resource: ResourceStore.Resource) -> Bool {
    if let expression, resource.key.id.firstMatch(of: expression) == nil { return false }
    // No resource here has labels, so only "this label is not there" can hold. Queries are joined
    // by "or", the terms of one query by "and".
    if labels.isEmpty { return true }
    return labels.contains { query in
      query.terms.allSatisfy { $0.op == .notExists ? !$0.invert : $0.invert }
    }
  }
}

extension Cosi.Resource {
  init(_ resource: ResourceStore.Resource) {
    self.init()
    var metadata = Cosi.Metadata()
    metadata.namespace = resource.key.namespace
    metadata.type = resource.key.type
    metadata.id = resource.key.id
    metadata.version = "\(resource.version)"
    metadata.owner = resource.owner
    metadata.phase = "running"
    metadata.created = Timestamp(nanoseconds: resource.created)
    metadata.updated = Timestamp(nanoseconds: resource.updated)
    if metadata.type == ResourceCatalog.machineConfig.type {
      // Says that the YAML is a text that holds the configuration, and not the configuration itself.
      metadata.annotations["talos.dev/yaml-spec"] = "1"
    }
    self.metadata = metadata
    var spec = Cosi.Spec()
    spec.protoSpec = resource.spec
    spec.yamlSpec = ResourceCatalog.definition(of: metadata.type)?.yaml?(resource.spec) ?? ""
    self.spec = spec
  }

  /// What stands for a resource that is not there.
  init(tombstone key: ResourceStore.Key) {
    self.init()
    var metadata = Cosi.Metadata()
    metadata.namespace = key.namespace
    metadata.type = key.type
    metadata.id = key.id
    metadata.version = "undefined"
    metadata.phase = "running"
    self.metadata = metadata
    spec = Cosi.Spec()
  }
}

extension Timestamp {
  init(nanoseconds: Int64) {
    self.init()
    seconds = nanoseconds / 1_000_000_000
    nanos = Int32(nanoseconds % 1_000_000_000)
  }
}
