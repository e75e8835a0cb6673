import Crypto
import HTTP2Codes
import Orchestrator
import RPC
import Rotation
import Testing

@testable import TalosDriver

@Suite("Small texts")
struct TextTests {
  @Test("Of a machine that is out of reach is said which one it is, from where, and why")
  func outOfReach() {
    let refused = TalosFailure.unreachable(
      "could not read Identities: tls:10.0.0.5:50000: connect: Connection refused")
    let plane = Machine(id: "cp-1", address: "10.0.0.5", role: .controlPlane)
    #expect(
      Routes.summary(of: [refused], to: plane, relays: 1)?.message
        == "cp-1 is not reachable from this host at 10.0.0.5:50000: Connection refused")
    let worker = Machine(id: "worker-1", address: "10.0.0.9", role: .worker)
    #expect(
      Routes.summary(of: [refused], to: worker, relays: 1)?.message
        == "worker-1 does not answer (asked through a control plane): Connection refused")
    #expect(
      Routes.summary(of: [refused, refused], to: worker, relays: 2)?.message
        == "worker-1 does not answer through any of 2 control planes: Connection refused")
  }

  @Test("Versions are read from tags, and only 1.7 and later can be rotated")
  func versions() throws {
    #expect(TalosVersion(tag: "v1.9.5") == TalosVersion(major: 1, minor: 9, patch: 5, suffix: ""))
    #expect(TalosVersion(tag: "v1.7.0-alpha.1")?.suffix == "-alpha.1")
    #expect(TalosVersion(tag: "v1.10.0-12-gabc")?.description == "v1.10.0-12-gabc")
    for tag in ["", "v1", "1.9", "v1.x.2", "latest", "v1.2.3.4", "v99999999999999999999.1.1"] {
      #expect(TalosVersion(tag: tag) == nil, "\(tag)")
    }
    for (tag, isSupported) in [
      ("v1.6.8", false), ("v1.7.0-beta.0", true), ("v1.7.0", true), ("v1.14.2", true),
      ("v2.0.0", true),
      ("v0.14.3", false),
    ] {
      #expect(try #require(TalosVersion(tag: tag)).isSupported == isSupported, "\(tag)")
    }
    #expect(try #require(TalosVersion(tag: "v1.9.5")) < #require(TalosVersion(tag: "v1.10.0")))
  }

  @Test("A tag with anything else behind the numbers is no version, however long")
  func foreignTags() {
    let most = "v1.7.0-" + String(repeating: "a", count: TalosVersion.suffixLimit - 1)
    #expect(TalosVersion(tag: most)?.description == most)
    #expect(TalosVersion(tag: "v1.7.0+build.5")?.suffix == "+build.5")
    for tag in [
      most + "a", "v1.7.0 ", "v1.7.0\n", "v1.7.0x", "v1.7.0-\u{1B}[2J", "v1.7.0-ä",
      "v1.7.0-\u{202E}a",
      "v1.7.0-a b", "v1.7.0;rm", "v1.7.0-\0", "v1.7.0\u{301}",
      "v1.7.0-" + String(repeating: "a", count: 6 << 20),
      "v1.7." + String(repeating: "0", count: 6 << 20),
    ] {
      #expect(TalosVersion(tag: tag) == nil, "\(tag.prefix(40).debugDescription)")
    }
  }

  @Test("The Kubernetes endpoint of a configuration is a URL that can be dialled, of at most 2 KiB")
  func kubernetesURLs() {
    for url in [
      "https://10.0.0.1:6443", "https://k.example.com", "https://[fd00::1]:6443", "https://k:6443/",
      "https://k:6443/clusters/a%20b", "https://k/" + String(repeating: "a", count: 2000),
    ] {
      #expect(PeerText.kubernetesURL(url) == url)
    }
    for url in [
      "", "http://k:6443", "https://", "https:///x", "https://k:0", "https://k:66000",
      "https://k b:6443",
      "https://k:6443\n", "https://user@k:6443", "https://k:6443/\u{1B}[2J", "https://k:6443/ä",
      "https://fd00::1:6443", "https://k:6443/?x\"",
      "https://k/" + String(repeating: "a", count: 3000),
    ] {
      #expect(PeerText.kubernetesURL(url) == nil, "\(url.prefix(40).debugDescription)")
    }
  }

  @Test("A cluster's id and a count of secrets are what Talos writes, and bounded")
  func smallTexts() {
    let id = "Sb4aXP6C2nE5tR7q0cGIUqeTzGYNnRoh3LAOwEyN8bk="
    #expect(PeerText.clusterID(id) == id)
    #expect(PeerText.clusterID("my.cluster_1") != nil)
    for id in ["", "a b", "a\n", "ä", "\u{7F}", String(repeating: "a", count: 257)] {
      #expect(PeerText.clusterID(id) == nil, "\(id.prefix(40).debugDescription)")
    }
    #expect(PeerText.count("12") == "12" && PeerText.count("") == "")
    for text in ["-1", "1.0", "1\n", "١", String(repeating: "1", count: 21)] {
      #expect(PeerText.count(text) == nil, "\(text.debugDescription)")
    }
  }

  @Test("Addresses are written as certificates have them")
  func addresses() {
    let cases: [([UInt8], String?)] = [
      ([10, 0, 0, 1], "10.0.0.1"),
      ([0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "fd00::1"),
      ([0x20, 1, 0xD, 0xB8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "2001:db8:0:1::"),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "::"),
      ([0, 1, 0, 2, 0, 0, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], "1:2:0:4:5:6:7:8"),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 1], "10.0.0.1"),
      ([1, 2, 3], nil), ([], nil),
    ]
    for (bytes, text) in cases { #expect(NetworkAddress.text(bytes) == text) }
  }

  @Test("Endpoints are written the shortest way that reads back")
  func endpoints() {
    for text in ["10.0.0.1", "host", "host:1", "fd00::1", "[fd00::1]:50001"] {
      #expect(TalosEndpoint(text)?.description == text)
    }
    #expect(TalosEndpoint("[fd00::1]") == TalosEndpoint(host: "fd00::1"))
    #expect(
      TalosEndpoint("https://[fd00::1]:50001/") == TalosEndpoint(host: "fd00::1", port: 50001))
    for text in [
      "", ":1", "[fd00::1", "[::]x", "host:x", "host:0", "host:70000", "ftp://x", "u@h", "h/p",
      "https://", "https://[fd0\u{FFFD}::1]:50000/",
    ] {
      #expect(TalosEndpoint(text) == nil, "\(text)")
    }
  }

  @Test("The cause of an error decides whether a certificate was refused, not its words")
  func refusals() {
    func kind(_ cause: ConnectionEnd?, code: StatusCode = .unavailable) -> String {
      let words = "remote error: tls: unknown certificate authority; certificate verify failed: x"
      switch TalosFailure(RPCError(code, words, cause: cause), "dial") {
      case .rejected: return "rejected"
      case .untrusted: return "untrusted"
      case .unreachable: return "unreachable"
      case .status: return "status"
      case .misdirected, .unusable: return "other"
      }
    }
    let refused = ConnectionEnd.tls(.certificateRefused(alert: 48), "")
    #expect(kind(refused) == "rejected")
    #expect(kind(.addresses([.init(address: "a", end: refused)])) == "rejected")
    #expect(kind(.tls(.peerNotTrusted(.unknownIssuer), "")) == "untrusted")
    for cause: ConnectionEnd? in [
      nil, .refused, .cut("x"), .timedOut("x"), .tls(.alert(80), ""), .tls(.peerFault, ""),
      .goAway(GoAway(errorCode: .noError, reason: "remote error: tls: bad certificate")),
    ] {
      #expect(kind(cause) == "unreachable", "\(String(describing: cause))")
    }
    #expect(kind(nil, code: .unknown) == "status")
  }

  @Test("Clocks are blamed for certificates that are out of their time, on either side")
  func time() {
    for (alert, isAboutTime) in [(45, true), (42, false), (48, false)] as [(UInt8, Bool)] {
      let failure = TalosFailure.rejected("expired certificate", .certificateRefused(alert: alert))
      #expect(failure.isAboutTime == isAboutTime && !failure.isUnknownIssuer)
    }
    let faults: [(CertificateFault, Bool, Bool)] = [
      (.expired, true, false), (.notYetValid, true, false), (.unknownIssuer, false, true),
      (.wrongName, false, false), (.other, false, false),
    ]
    for (fault, isAboutTime, isUnknownIssuer) in faults {
      let failure = TalosFailure.untrusted("unknown issuer, has expired", .peerNotTrusted(fault))
      #expect(failure.isAboutTime == isAboutTime && failure.isUnknownIssuer == isUnknownIssuer)
    }
    #expect(!TalosFailure.unreachable("certificate has expired").isAboutTime)
  }

  @Test("What a peer says is kept short and without anything like a key")
  func peerText() {
    let key = String(repeating: "QUJD", count: 30)
    #expect(
      PeerText.clean("bad field \(key) in config\nsecond line")
        == "bad field … in config second line")
    #expect(PeerText.clean("x -----BEGIN EC PRIVATE KEY-----\nabc") == "x …")
    #expect(PeerText.clean(String(repeating: "word ", count: 1_000)).count <= PeerText.limit + 1)
    #expect(PeerText.clean("plain") == "plain")
  }

  @Test("Statuses become driver errors of the right kind")
  func failures() {
    let cases: [(StatusCode, DriverError.Code, Bool)] = [
      (.unavailable, .unreachable, true), (.cancelled, .unreachable, true),
      (.deadlineExceeded, .unreachable, true), (.failedPrecondition, .refused, true),
      (.permissionDenied, .permissionDenied, false), (.unauthenticated, .unauthenticated, false),
      (.invalidArgument, .invalidConfig, false), (.unimplemented, .refused, false),
    ]
    for (status, code, isPassing) in cases {
      let failure = TalosFailure(RPCError(status, "why"), "do it")
      #expect(failure.driverError.code == code)
      #expect(failure.isPassing == isPassing)
      #expect(failure.message.contains("do it") && failure.message.contains("why"))
    }
    let refused = TalosFailure(
      RPCError(.unavailable, "no", cause: .tls(.certificateRefused(alert: 48), "no")), "dial")
    #expect(refused.driverError.code == .unauthenticated && !refused.isPassing)
  }
}
