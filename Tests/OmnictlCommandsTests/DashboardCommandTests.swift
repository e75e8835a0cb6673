import RPC
import RPCTransport
import Schema
import Testing

@testable import OmnictlCommands

@Suite("omnictl dashboard")
struct DashboardCommandTests {
  @Test("It prints the link alone to standard output, and the fingerprint beside it")
  func prints() async throws {
    var service = FakeService()
    service.dashboardLink = { _ in
      var response = CreateDashboardLinkResponse()
      response.urls = ["https://a.example:8443/login#code", "https://b.example:8443/login#code"]
      response.serverCertificateFingerprint = "c0ffee"
      response.expiresAt = Samples.now
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("dashboard") == .done)
    #expect(bench.output.text == "https://a.example:8443/login#code\n")
    #expect(
      bench.errors.text.contains("c0ffee") && bench.errors.text.contains("b.example:8443/login"))
    #expect(!bench.errors.text.contains("#code"))
  }

  @Test("Of several links the one at the host is taken by which the server was reached")
  func preferred() {
    let urls = [
      "https://a.example:1/login#c", "https://b.example:1/login#c", "https://[::1]:1/login#c",
    ]
    for (host, index) in [("b.example", 1), ("::1", 2), ("c.example", 0)] {
      #expect(DashboardCommand.preferred(urls, .tls(host: host, port: 9)) == urls[index])
    }
    #expect(DashboardCommand.preferred(urls, .unix(path: "/x")) == urls[0])
    #expect(DashboardCommand.preferred([], .unix(path: "/x")) == "")
  }

  @Test("A server that serves no dashboard is a refusal with the flag to add")
  func refused() async throws {
    var service = FakeService()
    service.dashboardLink = { _ in
      throw RPCError(.failedPrecondition, "start omnid with --listen tls:127.0.0.1:8443")
    }
    let bench = Bench(service)
    #expect(await bench.run("dashboard") == .refused)
    #expect(bench.errors.text.contains("--listen tls:127.0.0.1:8443"))
  }
}
