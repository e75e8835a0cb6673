internal import Foundation
internal import RPC

/// Lets tests in other processes switch machines off and on and make them fail, over plain HTTP/2 on
/// a Unix socket:
///
/// ```
/// curl --http2-prior-knowledge --unix-socket PATH http://x/nodes
/// curl … -X POST http://x/nodes/NAME/stop            (or start, refresh)
/// curl … -X PUT  http://x/nodes/NAME/faults -d '{"latencyMilliseconds": 200}'
/// ```
struct ControlEndpoint: HTTPHandler {
  let cluster: SimulatedCluster

  func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let path = request.path.split(separator: "?")[0].split(separator: "/").map(String.init)
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
      "up": await node.isUp, "settled": await node.isSettled,
    ]
  }

  private static func json(_ object: [String: Any]) -> HTTPResponse {
    let data = (try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data()
    return HTTPResponse(
      status: 200, fields: HeaderFields(["content-type": "application/json"]),
      body: Array(data) + [0x0A])
  }

  private static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, fields: HeaderFields(["content-type": "text/plain"]),
      body: Array((text + "\n").utf8))
  }
}

/// The body of a request that sets faults; what is left out is not wrong.
private struct FaultsRequest: Decodable {
  var latencyMilliseconds: Int?
  var clockOffsetSeconds: Int?
  var kubeletLookDelaySeconds: Int?
  /// `before` or `after`, one for each apply to come.
  var applies: [String]?
  var kubeletStuck: Bool?
  var notReady: Bool?
  var trustdDown: Bool?
  var apiServerDown: Bool?
  var staticPodsStuck: Bool?
  var timeServerDown: Bool?
  var schedulerDown: Bool?
  var controllerManagerDown: Bool?
  var dropsClientsOnReload: Bool?

  var faults: Faults? {
    var faults = Faults()
    faults.latency = .milliseconds(latencyMilliseconds ?? 0)
    faults.clockOffset = .seconds(clockOffsetSeconds ?? 0)
    faults.kubeletLookDelay = .seconds(kubeletLookDelaySeconds ?? 0)
    faults.kubeletStuck = kubeletStuck ?? false
    faults.notReady = notReady ?? false
    faults.trustdDown = trustdDown ?? false
    faults.apiServerDown = apiServerDown ?? false
    faults.controllerManagerDown = controllerManagerDown ?? false
    faults.schedulerDown = schedulerDown ?? false
    faults.timeServerDown = timeServerDown ?? false
    faults.staticPodsStuck = staticPodsStuck ?? false
    faults.dropsClientsOnReload = dropsClientsOnReload ?? false
    for kind in applies ?? [] {
      switch kind {
      case "before": faults.applies.append(.beforeEffect(.unavailable))
      case "after": faults.applies.append(.afterEffect(.unavailable))
      default: return nil
      }
    }
    return faults
  }
}
