internal import Foundation
internal import RPC

/// A request to the control interface, taken apart.
struct ControlRequest {
  var method: String
  var path: [String]
  var query: [String: String]
  var body: [UInt8]

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(body))
  }

  func component() throws(SimulatorError) -> TrustComponent {
    guard let component = TrustComponent(rawValue: query["component"] ?? "talos") else {
      throw .options("component is talos or kubernetes")
    }
    return component
  }
}

/// The requests that play other actors. Nil is answered for requests of another kind.
extension ControlEndpoint {
  func act(_ request: ControlRequest) async throws -> HTTPResponse? {
    switch (request.method, request.path) {
    case ("GET", ["calls"]):
      return Self.json(cluster.calls)
    case ("PUT", ["members"]):
      await cluster.setMemberLies(try request.decode(MembersRequest.self).lies())
      return Self.text(200, "set")
    case ("POST", ["shared-address"]):
      let name = request.query["to"] ?? ""
      guard let holder = cluster.node(name) else { return Self.text(404, "no such node") }
      try await cluster.moveSharedAddress(to: holder)
      return Self.text(200, "moved")
    case ("PUT", ["kubernetes", "nodes"]):
      let nodes = try request.decode([StrayRequest].self)
      await cluster.setStrayNodes(
        nodes.map { StrayNode(name: $0.name, address: $0.address, isReady: $0.ready ?? true) })
      return Self.text(200, "set")
    default:
      guard request.path.count == 3, request.path[0] == "nodes",
        let node = cluster.node(request.path[1])
      else { return nil }
      return try await act(request, on: node)
    }
  }

  private func act(_ request: ControlRequest, on node: SimulatedNode) async throws -> HTTPResponse?
  {
    switch (request.method, request.path[2]) {
    case ("GET", "config"):
      return Self.text(200, String(decoding: await node.configuration, as: UTF8.self))
    case ("POST", "write"):
      return try await write(request, on: node)
    case ("PUT", "standing"):
      let wanted = try request.decode(StandingRequest.self)
      await node.keepWriting(
        times: wanted.times, after: .milliseconds(wanted.delayMilliseconds ?? 0))
      return Self.text(200, "set")
    case ("PUT", "members"):
      await node.setMemberLies(try request.decode(MembersRequest.self).lies())
      return Self.text(200, "set")
    case ("POST", "foreign-ca"):
      let component = try request.component()
      let ca = try ForeignCA(component, organization: request.query["organization"])
      try await node.accept(ca, for: component)
      return Self.describe(ca)
    case ("DELETE", "foreign-ca"):
      try await node.drop(request.query["fingerprint"] ?? "", for: try request.component())
      return Self.text(200, "dropped")
    case ("POST", "hand-on"):
      let ca = try ForeignCA(.talos, organization: request.query["organization"])
      await node.handOn([ca])
      for worker in cluster.nodes where !worker.isControlPlane {
        await worker.refreshCertificates()
      }
      return Self.describe(ca)
    case ("DELETE", "hand-on"):
      await node.handOn([])
      return Self.text(200, "ended")
    case ("POST", "claim") where request.query["key"] == "stolen":
      guard let plane = cluster.nodes.first(where: { $0.isControlPlane && $0.name != node.name })
      else { return Self.text(400, "there is no control plane to steal from") }
      await node.claimControlPlane(showing: await plane.configuration)
      return Self.text(200, "claims to be a control plane, with the configuration of \(plane.name)")
    case ("POST", "claim"):
      guard let key = SimulatedNode.ClaimedKey(rawValue: request.query["key"] ?? "none") else {
        return Self.text(400, "key is none, wrong or stolen")
      }
      try await node.claimControlPlane(key)
      return Self.text(200, "claims to be a control plane")
    case ("DELETE", "claim"):
      try await node.claimControlPlane(nil)
      return Self.text(200, "honest")
    case ("POST", "reset"):
      try await node.reset()
      return Self.text(200, "in maintenance mode")
    default:
      return nil
    }
  }

  /// Without a body what is there is written with a comment in front of it.
  private func write(
    _ request: ControlRequest, on node: SimulatedNode
  ) async throws -> HTTPResponse {
    let mode: SimulatedNode.WriteMode
    switch request.query["mode"] ?? "no-reboot" {
    case "no-reboot": mode = .noReboot
    case "staged": mode = .staged
    case "try": mode = .trial(.seconds(request.query["seconds"].flatMap { Int64($0) } ?? 60))
    default: return Self.text(400, "mode is no-reboot, staged or try")
    }
    let present = await node.configuration
    try await node.write(
      request.body.isEmpty ? Array("# changed by somebody else\n".utf8) + present : request.body,
      mode: mode)
    return Self.text(200, "written")
  }

  private static func describe(_ ca: ForeignCA) -> HTTPResponse {
    json(["fingerprint": ca.fingerprint, "certificate": ca.certificate, "key": ca.key])
  }
}

private struct StandingRequest: Decodable {
  var times: Int
  var delayMilliseconds: Int?
}

private struct StrayRequest: Decodable {
  var name: String
  var address: String
  var ready: Bool?
}

/// How lists of members lie; an empty object is the truth.
private struct MembersRequest: Decodable {
  struct Record: Decodable {
    var name: String?
    var nodeID: String?
    var hostname: String?
    var addresses: [String]?
    var role: String?
    var apiServerPort: Int?
  }

  var hide: [String]?
  var change: [String: Record]?
  var add: [Record]?

  func lies() throws(SimulatorError) -> [MemberLie] {
    var lies = (hide ?? []).map(MemberLie.hide)
    for (name, record) in change ?? [:] {
      let type = try Self.type(record.role)
      lies.append(
        .change(name) { member in
          member.nodeID = record.nodeID ?? member.nodeID
          member.hostname = record.hostname ?? member.hostname
          member.addresses = record.addresses ?? member.addresses
          member.type = type ?? member.type
          member.apiServerPort = record.apiServerPort ?? member.apiServerPort
          member.name = record.name ?? member.name
        })
    }
    for record in add ?? [] {
      lies.append(
        .add(
          ClusterMember(
            name: record.name ?? "", nodeID: record.nodeID ?? "", hostname: record.hostname,
            addresses: record.addresses ?? [], type: try Self.type(record.role) ?? .worker,
            apiServerPort: record.apiServerPort)))
    }
    return lies
  }

  private static func type(_ role: String?) throws(SimulatorError) -> MachineType? {
    guard let role else { return nil }
    guard let type = MachineType(rawValue: role) else {
      throw .options("role is controlplane or worker")
    }
    return type
  }
}
