import RPCTransport
import Testing

@testable import omnid

@Suite("What clients call the server")
struct ServerNamesTests {
  @Test("The certificate is for what was told, the listeners' hosts, and the machine itself")
  func names() {
    let names = ServerNames.of(
      ["omnid.example", "192.0.2.1"],
      [.unix(path: "/x"), .tls(host: "omnid.lan", port: 1), .tls(host: "127.0.0.7", port: 2)])
    #expect(names.dns.prefix(3) == ["omnid.example", "localhost", "omnid.lan"])
    #expect(names.addresses == ["192.0.2.1", "127.0.0.1", "::1", "127.0.0.7"])
    #expect(Set(names.dns).count == names.dns.count)
  }

  @Test("A listener on every address is for each of them, and for none that is no address")
  func wildcard() {
    for host in ["0.0.0.0", "::"] {
      let names = ServerNames.of([], [.tls(host: host, port: 1)])
      #expect(names.addresses.contains("127.0.0.1") && !names.addresses.contains(host))
    }
  }

  @Test("Holders of what is issued are sent to the names that were told, else to the listener")
  func endpoints() {
    #expect(
      ServerNames.endpoints(["a.example", "b.example"], host: "0.0.0.0", port: 9)
        == ["tls:a.example:9", "tls:b.example:9"])
    #expect(ServerNames.endpoints([], host: "127.0.0.1", port: 9) == ["tls:127.0.0.1:9"])
    let own = ServerNames.endpoints([], host: "::", port: 9)
    #expect(own.count == 1 && own[0].hasSuffix(":9") && own[0] != "tls:[::]:9")
  }
}
