import RPC
import RPCTransport
import Release
import Schema
import Testing

@testable import OmnictlCommands

@Suite struct VersionTests {
  static func service(version: String) -> FakeService {
    var service = FakeService()
    service.dashboardSession = { _ in
      var response = GetDashboardSessionResponse()
      response.serverVersion = version
      return response
    }
    return service
  }

  @Test("The server's version stands beside omnictl's", arguments: [["version"], ["--version"]])
  func both(line: [String]) async {
    let bench = Bench(Self.service(version: "7.8.9"), variables: ["OMNI_ENDPOINT": "unix:/tmp/s"])
    #expect(await bench.run(line) == .done)
    #expect(bench.output.text == "omnictl \(Release.version)\nomnid   7.8.9 at unix:/tmp/s\n")
    #expect(bench.errors.text.isEmpty)
    #expect(bench.endpoints.last == .unix(path: "/tmp/s"))
    let json = Bench(Self.service(version: "7.8.9"))
    #expect(await json.run(line + ["-o", "json", "--endpoint", "unix:/tmp/t"]) == .done)
    #expect(
      json.output.text
        == #"{"version":"\#(Release.version)","server":{"endpoint":"unix:/tmp/t","version":"7.8.9","problem":""}}"#
        + "\n")
  }

  @Test("A server that is not there, is old, or does not let one in changes nothing but its line")
  func absent() async {
    for (error, told) in [
      (RPCError(.unavailable, "connection refused"), "omnid cannot be reached"),
      (RPCError(.unimplemented, "no such method"), "0.1.0 or older"),
      (RPCError(.unauthenticated, "who are you?"), "who are you?"),
    ] {
      var service = FakeService()
      service.dashboardSession = { _ in throw error }
      let bench = Bench(service)
      #expect(await bench.run("version") == .done)
      #expect(bench.output.lines.first == "omnictl \(Release.version)")
      #expect(bench.output.text.contains(told), "\(bench.output.text)")
    }
    let wrong = Bench(variables: ["OMNI_ENDPOINT": "nonsense"])
    #expect(await wrong.run("version") == .done)
    #expect(wrong.output.text.contains("omnid   unknown: OMNI_ENDPOINT is written"))
  }

  @Test("A server that is silent is waited for no longer than it takes to wonder")
  func silent() async {
    var service = FakeService()
    service.dashboardSession = { _ in
      try await Task.sleep(for: .seconds(600))
      return GetDashboardSessionResponse()
    }
    let begun = ContinuousClock.now
    let bench = Bench(service)
    #expect(await bench.run("version") == .done)
    #expect(bench.output.text.contains("omnid   unknown at unix:"))
    #expect(ContinuousClock.now - begun < .seconds(10))
  }
}
