import Access
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Testing

@testable import ManagementService

@Suite("What has to be trusted of a cluster", .timeLimit(.minutes(1)))
struct TrustTests {
  private static let reader = Caller(name: "token:prometheus/t-1", role: .reader)

  private func get(
    _ served: ServedManagement, _ path: String, as caller: Caller? = reader,
    unless tag: String? = nil
  ) async -> HTTPResponse {
    let resource = TrustResource(
      orchestrator: served.orchestrator, refusals: served.handlers.access.refusals,
      isReady: { true },
      identify: { _, _ in caller.map { .caller($0) } ?? .unknown(reason: "nobody") })
    var fields = HeaderFields()
    if let tag { fields.append("if-none-match", tag) }
    return await resource.respond(
      to: HTTPRequest(method: "GET", path: path, fields: fields), peer: ServedManagement.owner)
  }

  private func text(_ response: HTTPResponse) -> String {
    String(decoding: response.body, as: UTF8.self)
  }

  @Test("The method, the JSON and the PEM files say the same, before and in a rotation")
  func sameEverywhere() async throws {
    let served = try await ServedManagement()
    for inRotation in [false, true] {
      if inRotation {
        served.driver.update { $0.held = ["cp-1"] }
        _ = try await served.rotate()
        // Until then the bundle changes between one look and the next.
        var status = GetRotationStatusRequest()
        status.cluster = "demo"
        while try await served.client.unary(ManagementServiceMethods.getRotationStatus, status)
          .status?.phase != .preRotate
        { try await Task.sleep(for: .milliseconds(1)) }
      }
      var request = GetTrustBundleRequest()
      request.cluster = "demo"
      let answer = try await served.client.unary(ManagementServiceMethods.getTrustBundle, request)
      #expect(answer.bundles.map(\.component) == [.talosCA, .kubernetesCA])
      let talos = try #require(answer.bundles.first)
      #expect(talos.authorities.count == (inRotation ? 2 : 1))
      #expect(talos.authorities.first?.issuing == true)
      #expect(
        talos.authorities.map(\.generation) == (inRotation ? [.old, .new] : [.unspecified]))
      #expect(talos.rotationID.isEmpty == !inRotation)
      let pem = await get(served, "/trust/demo/talos-ca.pem")
      #expect(pem.status == 200 && pem.fields.first("content-type") == "application/x-pem-file")
      #expect(
        text(pem)
          == talos.authorities.map { $0.certificate + ($0.certificate.hasSuffix("\n") ? "" : "\n") }
          .joined())
      #expect(
        pem.fields.first("omnid-fingerprints")
          == talos.authorities.map(\.fingerprint).joined(separator: ", "))
      let json = await get(served, "/trust/demo/bundle.json?x=1")
      let read = try GetTrustBundleResponse(json: text(json))
      #expect(read.bundles == answer.bundles && read.cluster == "demo")
    }
    served.driver.update { $0.held = [] }
    try await served.finish()
    #expect(text(await get(served, "/trust/demo/talos-ca.pem")).split(separator: "\n").count == 1)
  }

  @Test("A file that has not changed is answered with 304, and one that has is sent")
  func tags() async throws {
    let served = try await ServedManagement()
    for name in TrustDocument.names {
      let path = "/trust/demo/\(name)"
      let first = await get(served, path)
      let tag = try #require(first.fields.first("etag"))
      #expect(
        tag.hasPrefix("\"") && tag.hasSuffix("\"") && !tag.dropFirst().dropLast().contains("\""))
      for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
        let again = await get(served, path, unless: known)
        #expect(again.status == 304 && again.body.isEmpty && again.fields.first("etag") == tag)
      }
      for known in ["\"x\"", tag.replacing("\"", with: ""), ""] {
        #expect(await get(served, path, unless: known).status == 200, "\(known)")
      }
    }
    let tag = await get(served, "/trust/demo/talos-ca.pem").fields.first("etag")
    let other = await get(served, "/trust/demo/kubernetes-ca.pem").fields.first("etag")
    served.driver.update { $0.held = ["cp-1"] }
    _ = try await served.rotate()
    #expect(await get(served, "/trust/demo/talos-ca.pem", unless: tag).status == 200)
    #expect(await get(served, "/trust/demo/kubernetes-ca.pem", unless: other).status == 304)
    served.driver.update { $0.held = [] }
    try await served.finish()
  }

  @Test("Whoever is not known, or has no role, learns nothing")
  func strangers() async throws {
    let served = try await ServedManagement()
    for path in ["/trust/demo/talos-ca.pem", "/trust/none/talos-ca.pem", "/trust/"] {
      let stranger = await get(served, path, as: nil)
      #expect(stranger.status == 401 && stranger.fields.first("etag") == nil)
      #expect(await get(served, path, as: Caller(name: "uid:7", role: nil)).status == 403)
    }
  }

  @Test("To a caller that is bound to clusters every other one looks alike, and it is written down")
  func bounds() async throws {
    let served = try await ServedManagement(clusters: ["demo", "other"])
    let bound = Caller(name: "token:ci/t-2", role: .admin, clusters: ["demo", "gone"])
    var told: [String] = []
    for name in ["other", "missing", "", "..", "No%20Name"] {
      let answer = await get(served, "/trust/\(name)/talos-ca.pem", as: bound)
      #expect(answer.status == 403)
      told.append(text(answer))
    }
    #expect(Set(told).count == 1)
    #expect(await get(served, "/trust/demo/talos-ca.pem", as: bound).status == 200)
    #expect(await get(served, "/trust/gone/talos-ca.pem", as: bound).status == 404)
    let entries = try await served.audit.entries(after: 0, limit: 100)
    #expect(entries.contains { $0.event.method == "GET /trust" && $0.event.cluster == "other" })
  }

  @Test(
    "What is not there is 404",
    arguments: [
      "/trust/", "/trust/demo", "/trust/demo/", "/trust/demo/other.pem", "/trust/none/talos-ca.pem",
      "/trust/demo/talos-ca.pem/x", "/trust/../talos-ca.pem", "/trust//talos-ca.pem",
    ])
  func missing(path: String) async throws {
    let served = try await ServedManagement()
    #expect(await get(served, path).status == 404)
  }
}
