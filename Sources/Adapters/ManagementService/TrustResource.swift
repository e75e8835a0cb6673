public import Access
public import Orchestrator
public import RPC
import Rotation
import WebResources

/// Answers `/trust/CLUSTER/talos-ca.pem`, `…/kubernetes-ca.pem` and `…/bundle.json`: what has to be trusted by whoever talks
/// to the cluster. Admits whom `GetTrustBundle` admits.
public struct TrustResource: HTTPHandler {
  public typealias Identify = @Sendable (_ peer: Peer, _ authorization: String?) -> Identification

  public static let prefix = "/trust/"

  private let orchestrator: RotationOrchestrator
  private let isReady: @Sendable () -> Bool
  private let identify: Identify
  private let refusals: RefusalTrail

  /// - Parameters:
  ///   - isReady: whether it has been read who may call.
  ///   - refusals: where a caller is written down that asks about other clusters than its own.
  public init(
    orchestrator: RotationOrchestrator, refusals: RefusalTrail,
    isReady: @escaping @Sendable () -> Bool, identify: @escaping Identify
  ) {
    self.orchestrator = orchestrator
    self.refusals = refusals
    self.isReady = isReady
    self.identify = identify
  }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    guard isReady() else { return .text(503, "omnid is starting or stopping: try again") }
    guard case .caller(let caller) = identify(peer, request.fields.first("authorization")) else {
      return .text(
        401,
        "Trust bundles are for readers: show a token (Authorization: Bearer TOKEN, from 'omnictl access issue'), or a "
          + "client certificate.", fields: ["www-authenticate": "Bearer realm=\"omnid\""])
    }
    guard caller.may(.reader) else {
      return .text(
        403, "Trust bundles are for readers: have an admin issue a grant with that role.")
    }
    let parts = request.path.prefix { $0 != "?" }.dropFirst(Self.prefix.count)
      .split(separator: "/", omittingEmptySubsequences: false)
    let name = parts.first.map(String.init) ?? ""
    guard caller.mayUse(cluster: name) else {
      await refusals.note(
        caller: caller.name, key: caller.name, method: "GET /trust",
        cluster: RotationOrchestrator.isClusterName(name) ? name : "", code: "PERMISSION_DENIED",
        message: "the caller is bound to other clusters")
      return .text(403, "The caller is bound to certain clusters, and this is none of them.")
    }
    guard parts.count == 2, TrustDocument.names.contains(String(parts[1])) else {
      return .text(
        404,
        "GET is answered at /trust/CLUSTER/ with "
          + TrustDocument.names.joined(separator: ", ") + " behind it.")
    }
    do {
      let trust = try await orchestrator.trust(cluster: name)
      let documents = try TrustDocument.all(of: trust)
      guard let document = documents.first(where: { $0.name == parts[1] }) else {
        return .text(404, "The cluster has no CA of this kind.")
      }
      return answer(document, trust, unless: request.fields.first("if-none-match"))
    } catch let error as OrchestratorError where error.code == .shuttingDown {
      return .text(503, "omnid is starting or stopping: try again")
    } catch is OrchestratorError {
      return .text(404, "There is no cluster of this name.")
    } catch {
      return .text(500, "The bundle cannot be written: \(error)")
    }
  }

  private func answer(
    _ document: TrustDocument, _ trust: ClusterTrust, unless known: String?
  ) -> HTTPResponse {
    var fields = HeaderFields([
      "etag": "\"\(document.tag)\"", "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff", "omnid-revision": "\(trust.revision)",
    ])
    if trust.isOutdated { fields.append("omnid-record-outdated", "true") }
    if let bundle = document.component.flatMap({ trust[$0] }) {
      fields.append(
        "omnid-fingerprints", bundle.authorities.map(\.fingerprint).joined(separator: ", "))
      if !bundle.rotation.isEmpty {
        fields.append("omnid-rotation", bundle.rotation)
        fields.append("omnid-phase", bundle.phase?.name ?? "none")
      }
    }
    if let known, EntityTag.isAmong(document.tag, known) {
      return HTTPResponse(status: 304, fields: fields)
    }
    fields.append("content-type", document.contentType)
    return HTTPResponse(status: 200, fields: fields, body: document.body)
  }
}

/// Entity tags of HTTP (RFC 9110 section 8.8.3).
enum EntityTag {
  /// Whether `If-None-Match` names the tag: as one of a list, compared weakly (section 13.1.2), or as `*`.
  ///
  /// - Parameter tag: without quotes; holds neither quotes nor commas.
  static func isAmong(_ tag: String, _ list: String) -> Bool {
    list.split(separator: ",").contains { item in
      var item = item.drop { $0 == " " || $0 == "\t" }
      while item.last == " " || item.last == "\t" { item.removeLast() }
      if item == "*" { return true }
      if item.hasPrefix("W/") { item = item.dropFirst(2) }
      return item == "\"\(tag)\""
    }
  }
}
