import Access
import Orchestrator
import RPC
import Rotation
import Schema
import Testing

@testable import ManagementService

@Suite("Links and sessions, as calls")
struct DashboardTests {
  private static let ownPage = CallOptions(
    metadata: Metadata(["origin": "https://omnid.example:8443"]))

  private static func code(_ served: ServedManagement) async throws -> String {
    let answer = try await served.client.unary(
      ManagementServiceMethods.createDashboardLink, CreateDashboardLinkRequest())
    #expect(answer.urls.count == 1 && answer.serverCertificateFingerprint == "c0ffee")
    let parts = answer.urls[0].split(separator: "#")
    #expect(parts.first == "https://omnid.example:8443/login")
    return String(try #require(parts.last))
  }

  private static func open(
    _ served: ServedManagement, _ code: String, _ options: CallOptions = ownPage
  ) async throws -> OpenDashboardSessionResponse {
    var request = OpenDashboardSessionRequest()
    request.code = code
    return try await served.client.unary(
      ManagementServiceMethods.openDashboardSession, request, options: options)
  }

  @Test("A link opens a session once, and the audit log names who made it")
  func link() async throws {
    let served = try await ServedManagement()
    let code = try await Self.code(served)
    let caller = try #require(try await Self.open(served, code).caller)
    #expect(caller.name == "uid:1000 via dashboard" && caller.role == .operator && caller.session)
    await #expect(throws: RPCError.self) { try await Self.open(served, code) }
    let entries = try await served.audit.entries(after: 0, limit: 100).map(\.event)
    let told = entries.filter { $0.method.contains("Dashboard") }
    #expect(
      told.map(\.method)
        == ["CreateDashboardLink", "CreateDashboardLink"]
        + Array(repeating: "OpenDashboardSession", count: 4))
    #expect(told.prefix(4).allSatisfy { $0.caller == "uid:1000" })
    #expect(told.last?.code == "UNAUTHENTICATED")
    for event in told {
      #expect(!"\(event)".contains("omnidlink_") && !"\(event)".contains("omnidsession_"))
    }
  }

  @Test(
    "A code opens nothing from another page, and whoever guesses learns the same as whoever is late"
  )
  func refused() async throws {
    let served = try await ServedManagement()
    let code = try await Self.code(served)
    var errors: [RPCError] = []
    for (code, options) in [
      (code, CallOptions()),
      (code, CallOptions(metadata: Metadata(["origin": "https://evil.example"]))),
      ("omnidlink_7", Self.ownPage), ("", Self.ownPage),
    ] {
      do {
        _ = try await Self.open(served, code, options)
        Issue.record("opened")
      } catch let error as RPCError { errors.append(error) }
    }
    #expect(errors.count == 4 && errors.allSatisfy { $0.code == .unauthenticated })
    #expect(Set(errors.map(\.message)).count == 1)
    // What came from another page has not used the link up.
    #expect(try await Self.open(served, code).caller != nil)
  }

  @Test("Nobody need be known to open a session, and somebody has to be for everything else")
  func unknown() async throws {
    let served = try await ServedManagement(identify: { _ in .unknown(reason: "nobody") })
    await #expect(throws: RPCError.self) {
      try await served.client.unary(
        ManagementServiceMethods.createDashboardLink, CreateDashboardLinkRequest())
    }
    await #expect(throws: RPCError.self) {
      try await served.client.unary(
        ManagementServiceMethods.getDashboardSession, GetDashboardSessionRequest())
    }
    let link = try served.handlers.dashboard.sessions.makeLink(
      for: Caller(name: "uid:7", role: .reader))
    #expect(try await Self.open(served, link.code).caller?.role == .reader)
  }

  @Test("Without a TLS listener there is no link, and the answer says which flag is missing")
  func noListener() async throws {
    let served = try await ServedManagement(endpoints: [])
    let error = await #expect(throws: RPCError.self) {
      try await served.client.unary(
        ManagementServiceMethods.createDashboardLink, CreateDashboardLinkRequest())
    }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message.contains("--listen tls:127.0.0.1:8443") == true)
  }

  @Test("Whoever is bound to clusters has a link, bound to the same")
  func bound() async throws {
    let served = try await ServedManagement(identify: { _ in
      .caller(Caller(name: "token:ci/t-1", role: .reader, clusters: ["demo"], grant: "t-1"))
    })
    let caller = try #require(try await Self.open(served, Self.code(served)).caller)
    #expect(caller.clusters == ["demo"] && caller.role == .reader)
  }

  @Test("A session is told who it is, and ends itself alone")
  func close() async throws {
    let served = try await ServedManagement()
    let sessions = served.handlers.dashboard.sessions
    let (_, session) = try sessions.begin(for: Caller(name: "uid:1", role: .reader))
    _ = try sessions.begin(for: Caller(name: "uid:2", role: .reader))
    let under = try await ServedManagement(identify: { _ in .caller(session.caller) })
    let told = try await under.client.unary(
      ManagementServiceMethods.getDashboardSession, GetDashboardSessionRequest())
    #expect(told.caller?.name == "uid:1 via dashboard" && told.serverVersion == "1.2.3")
    // Whoever has no session ends none.
    _ = try await served.client.unary(
      ManagementServiceMethods.closeDashboardSession, CloseDashboardSessionRequest())
    #expect(sessions.count == 2)
    sessions.end(session.id)
    #expect(sessions.count == 1)
  }
}
