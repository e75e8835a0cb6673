import Access
import AccessControl
import Crypto
import Orchestrator
import RPC
import Rotation
import Testing

@Suite("The cookie of a browser")
struct SessionCookieTests {
  private struct StillClock: OrchestratorClock {
    func now() -> Instant { Instant(secondsSince1970: 1_800_000_000) }
    func uptime() -> Duration { .zero }
    func sleep(for duration: Duration) async throws(CancellationError) {}
  }

  private let sessions: DashboardSessions
  private let identification: CallerIdentification
  private let secret: String
  private static let cookie = SessionCookie(server: "0a1b2c3d4e5f")
  private static let name = "__Host-omnid-session-0a1b2c3d"

  init() throws {
    let registry = GrantRegistry()
    sessions = DashboardSessions(
      mint: DashboardSecrets(), registry: registry, clock: StillClock())
    let sealer = try Sealer(masterKey: SecretBytes(random: Sealer.keySize))
    let authority = try APIAuthority(
      APIAuthority.make(sealer, now: StillClock().now()), sealer: sealer, signsCertificates: true)
    identification = CallerIdentification(
      users: LocalUsers(owner: 1000), registry: registry, mint: authority, sessions: sessions,
      cookie: Self.cookie,
      now: { StillClock().now().secondsSince1970 })
    secret = try sessions.begin(for: Caller(name: "uid:1000", role: .admin)).secret
  }

  private func caller(
    _ fields: KeyValuePairs<String, String>, peer: Peer = Peer(address: "192.0.2.1:1")
  ) -> Caller? {
    var all = HeaderFields([":method": "POST", ":authority": "omnid.example:8443"])
    for (name, value) in fields { all.append(name, value) }
    return identification.identify(peer, all).caller
  }

  private var cookie: String { "\(Self.name)=\(secret)" }

  @Test("A session's cookie from omnid's own page tells who calls")
  func known() {
    let caller = caller(["cookie": cookie, "sec-fetch-site": "same-origin"])
    #expect(caller?.name == "uid:1000 via dashboard" && caller?.role == .operator)
    // As a browser without Fetch Metadata sends it.
    #expect(self.caller(["cookie": cookie, "origin": "https://omnid.example:8443"]) != nil)
    // Among others, and in a field of its own, as HTTP/2 allows.
    let site = ("sec-fetch-site", "same-origin")
    #expect(self.caller(["cookie": "a=b; \(cookie); c=d", site.0: site.1]) != nil)
    #expect(self.caller(["cookie": "a=b", "cookie": cookie, site.0: site.1]) != nil)
  }

  @Test(
    "A cookie counts for nothing where the request may come from another page",
    arguments: [
      [:], ["sec-fetch-site": "cross-site"], ["sec-fetch-site": "same-site"],
      ["sec-fetch-site": "none"], ["sec-fetch-site": ""],
      ["sec-fetch-site": "cross-site", "origin": "https://omnid.example:8443"],
      ["origin": "https://evil.example"], ["origin": "null"],
      ["origin": "https://omnid.example"], ["origin": "http://omnid.example:8443"],
      ["origin": "https://omnid.example:8443.evil.example"],
    ])
  func forged(fields: [String: String]) {
    var all = HeaderFields([":authority": "omnid.example:8443", "cookie": cookie])
    for (name, value) in fields { all.append(name, value) }
    #expect(identification.identify(Peer(address: "192.0.2.1:1"), all).caller == nil)
  }

  @Test("Whoever shows a cookie that is not good is nobody, also as a process of this machine")
  func bad() {
    let process = Peer(
      address: "unix:", process: Peer.Process(userID: 1000, groupID: 9, processID: 1))
    let site = ("sec-fetch-site", "same-origin")
    for cookie in [
      "\(Self.name)=", "\(Self.name)=x", cookie + "x", "\(cookie); \(cookie)",
      "\(cookie); \(Self.name)=x",
    ] {
      #expect(caller(["cookie": cookie, site.0: site.1], peer: process) == nil, "\(cookie)")
    }
    #expect(caller(["cookie": "other=\(secret)", site.0: site.1], peer: process)?.role == .admin)
    #expect(caller(["cookie": "x\(cookie)", site.0: site.1]) == nil)
    #expect(caller([site.0: site.1]) == nil)
  }

  @Test("The cookie of another omnid on the same host name is no one's business")
  func neighbour() {
    let site = ("sec-fetch-site", "same-origin")
    let other = "__Host-omnid-session-ffffffff=omnis_other"
    #expect(caller(["cookie": "\(other); \(cookie)", site.0: site.1]) != nil)
    #expect(caller(["cookie": "\(other); __Host-omnid-session=x", site.0: site.1]) == nil)
    let process = Peer(
      address: "unix:", process: Peer.Process(userID: 1000, groupID: 9, processID: 1))
    #expect(caller(["cookie": other, site.0: site.1], peer: process)?.role == .admin)
  }

  @Test("A token goes before a cookie, so a bad one makes its caller unknown")
  func token() {
    let fields: KeyValuePairs = [
      "authorization": "Bearer omni_x", "cookie": cookie, "sec-fetch-site": "same-origin",
    ]
    #expect(caller(fields) == nil)
  }

  @Test("Secrets are long, differ, and are told apart by what they begin with")
  func secrets() throws {
    let mint = DashboardSecrets()
    for kind in DashboardSecret.allCases {
      let (a, b) = (mint.makeSecret(kind), mint.makeSecret(kind))
      #expect(a.text != b.text && a.id != b.id && a.text.count >= kind.prefix.count + 43)
      #expect(mint.hash(of: a.text, kind) == a.hash && a.hash.count == 32)
      for other in DashboardSecret.allCases where other != kind {
        #expect(mint.hash(of: a.text, other) == nil)
      }
      #expect(mint.hash(of: kind.prefix + String(repeating: "x", count: 200), kind) == nil)
    }
  }

  @Test("The cookie is for this host alone, over TLS, out of reach of scripts and of other sites")
  func attributes() throws {
    let text = try #require(Self.cookie.setting("s", seconds: 60)["set-cookie"])
    #expect(
      text == "\(Self.name)=s; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict")
    #expect(Self.cookie.setting("", seconds: 0)["set-cookie"]?.contains("Max-Age=0") == true)
  }
}
