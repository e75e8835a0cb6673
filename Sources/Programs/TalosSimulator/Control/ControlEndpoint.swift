internal import Foundation
internal import RPC

/// Lets tests in other processes switch machines off and on, make them fail and play other actors,
/// over plain HTTP/2 on a Unix socket; docs/talosim.md has every request.
struct ControlEndpoint: HTTPHandler {
  let cluster: SimulatedCluster

  func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let path = request.path.split(separator: "?")[0].split(separator: "/").map(String.init)
    let query = KubernetesRequest(method: "", target: request.path, identity: .anonymous).query
    let control = ControlRequest(
      method: request.method, path: path, query: query, body: request.body)
    do {
      if let answer = try await act(control) { return answer }
    } catch let error as SimulatorError {
      return Self.text(400, error.description)
    } catch {
      return Self.text(400, "the body cannot be read: \(error)")
    }
    guard path.first == "nodes" else { return Self.text(404, "no such path") }
    if path.count == 1, request.method == "GET" { return await list() }
    guard path.count >= 2, let node = cluster.node(path[1]) else {
      return Self.text(404, "no such node")
    }
    switch (request.method, path.count > 2 ? path[2] : "") {
    case ("GET", ""):
      return Self.json(await Self.describe(node))
    case ("POST", "stop"):
      await node.powerOff()
      return Self.text(200, "stopped")
    case ("POST", "start"):
      do { try await node.powerOn() } catch { return Self.text(500, "\(error)") }
      return Self.text(200, "started")
    case ("POST", "refresh"):
      await node.refreshCertificates()
      return Self.text(200, "refreshing")
    case ("PUT", "faults"):
      guard let wanted = try? JSONDecoder().decode(FaultsRequest.self, from: Data(request.body))
      else { return Self.text(400, "the body is not a description of faults") }
      guard let faults = wanted.faults else { return Self.text(400, "unknown kind of apply fault") }
      await node.setFaults { $0 = faults }
      return Self.text(200, "set")
    default:
      return Self.text(405, "not here")
    }
  }

  private func list() async -> HTTPResponse {
    var all: [[String: Any]] = []
    for node in cluster.nodes { all.append(await Self.describe(node)) }
    return Self.json(["nodes": all])
  }

  private static func describe(_ node: SimulatedNode) async -> [String: Any] {
    [
      "name": node.name, "address": node.address, "role": node.type.rawValue,
      "up": await node.isUp, "settled": await node.isSettled, "nodeID": node.nodeID,
      "received": await node.received.count, "maintenance": await node.isInMaintenance,
      "holdsSharedAddress": node.servers.holdsShared,
    ]
  }

  static func json(_ object: [String: Any]) -> HTTPResponse {
    let data = (try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data()
    return HTTPResponse(
      status: 200, fields: HeaderFields(["content-type": "application/json"]),
      body: Array(data) + [0x0A])
  }

  static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, fields: HeaderFields(["content-type": "text/plain"]),
      body: Array((text + "\n").utf8))
  }
}
