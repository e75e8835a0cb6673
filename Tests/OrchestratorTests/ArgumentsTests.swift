import Testing

@testable import Orchestrator

@Suite("Arguments")
struct ArgumentsTests {
  @Test("Limits count characters, and what is just within them passes")
  func limits() {
    var check = Arguments()
    check.text(String(repeating: "ä", count: 128), "request_id", limit: 128)
    check.text("two\nlines\tand more", "reason", limit: 1024)
    check.roles(["os:admin", "os:etcd:backup"])
    check.page(PageRequest(size: 0, token: "", order: .name))
    check.page(PageRequest(size: .max, token: "r1.z", order: .ordinal))
    check.talosconfig(String(repeating: "x", count: 1 << 20))
    check.validity(.seconds(60))
    check.validity(.seconds(366 * 24 * 3600))
    #expect(check.violations.isEmpty)
  }

  @Test("Everything that is wrong is told at once, by the argument's name")
  func several() {
    var check = Arguments()
    check.cluster("Demo")
    check.component(nil)
    check.text(String(repeating: "ä", count: 129), "request_id", limit: 128)
    check.talosconfig(String(repeating: "x", count: (1 << 20) + 1))
    check.talosconfig("")
    check.endpoints(["", "\u{1B}"])
    check.roles(["os:admin", String(repeating: "x", count: 65), ""])
    check.validity(.seconds(59))
    check.page(PageRequest(size: -1, token: "c1.a", order: .ordinal))
    let error = #expect(throws: OrchestratorError.self) { try check.check() }
    #expect(error?.code == .invalidArgument && error?.subject == "cluster")
    #expect(
      error?.violations.map(\.argument) == [
        "cluster", "component", "request_id", "talosconfig", "talosconfig", "endpoints[0]",
        "endpoints[1]", "roles[1]", "roles[2]", "ttl", "page_size", "page_token",
      ])
  }
}
