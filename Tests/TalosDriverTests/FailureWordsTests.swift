import Orchestrator
import RPC
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("What is said of a machine that cannot be asked")
struct FailureWordsTests {
  private let machine = Machine(
    id: "cp-2", address: "10.0.0.5", role: .controlPlane, port: 50000, identity: "x")
  private let known = String(repeating: "9d8b", count: 16)
  private let shown = String(repeating: "5658", count: 16)

  private func words(_ credentials: FailureWords.Credentials) -> FailureWords {
    FailureWords(
      credentials: credentials, known: [known],
      valid: (Instant(secondsSince1970: 1_700_000_000), Instant(secondsSince1970: 1_700_003_600)),
      now: Instant(secondsSince1970: 1_700_000_060))
  }

  private static let credentials: [FailureWords.Credentials] = [
    .record("prod"), .rotation("prod"), .talosconfig,
  ]

  @Test(
    "What Go says of an address that it cannot reach is shown without what it was about",
    arguments: [
      (
        #"rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.5:50000: connect: connection refused""#,
        "connection refused"
      ),
      (
        #"connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.5:50000: i/o timeout""#,
        "i/o timeout"
      ),
      (
        #"connection error: desc = "transport: Error while dialing: dial tcp [fd00::5]:50000: i/o timeout""#,
        "i/o timeout"
      ),
      (
        #"rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.5:50000: connect: no route to host""#,
        "no route to host"
      ),
      (
        #"connection error: desc = "transport: Error while dialing: dial tcp: lookup cp-2: no such host""#,
        "lookup cp-2: no such host"
      ),
      (
        #"connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "x" while trying to verify candidate authority certificate "talos")""#,
        #"tls: failed to verify certificate: x509: certificate signed by unknown authority (possibly because of "x" while trying to verify candidate authority certificate "talos")"#
      ),
      (
        #"connection error: desc = "transport: authentication handshake failed: remote error: tls: bad certificate""#,
        "remote error: tls: bad certificate"
      ),
      (
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded", "no answer in time"
      ),
      (
        "rpc error: code = DeadlineExceeded desc = received context error while waiting for new LB policy update: context deadline exceeded",
        "no answer in time"
      ),
      (
        #"connection error: desc = "error reading server preface: EOF""#,
        "error reading server preface: EOF"
      ),
      ("Connection refused", "Connection refused"), ("", ""), (#"""#, #"""#),
      (#"said "no""#, #"said "no""#),
    ])
  func plain(said: String, reason: String) {
    #expect(Routes.plain(said) == reason)
    #expect(Routes.plain("could not read the version: \(said)").hasSuffix(reason))
    let text = words(.record("prod")).text(machine, .unreachable(said))
    #expect(text == "cp-2 does not answer: \(reason)" || reason.contains("cp-2") && text == reason)
  }

  @Test("A refusal because of the time says clock, both times that are known, and what to do")
  func time() {
    for credentials in Self.credentials {
      let words = words(credentials)
      let refused = TalosFailure.rejected("expired certificate", .certificateRefused(alert: 45))
      var texts = [words.text(machine, refused)]
      #expect(texts[0].contains("valid since 2023-11-14T22:13:20Z"))
      #expect(words.error(machine, refused).code == .clock)
      #expect(words.finding(machine, refused).kind == .clock)
      for fault in [CertificateFault.expired, .notYetValid] {
        let untrusted = TalosFailure.untrusted(
          "out of its time",
          .peerNotTrusted(fault, PresentedPeer(notBefore: 1_700_007_200, notAfter: 1_700_010_800)))
        texts.append(words.text(machine, untrusted))
        #expect(texts.last?.contains("valid from 2023-11-15T00:13:20Z") == true)
        #expect(texts.last?.contains("the CA of cp-2 has expired") == (fault == .expired))
        #expect(words.error(machine, untrusted).code == .clock)
      }
      for text in texts {
        #expect(text.contains("cp-2") && text.contains("clock says 2023-11-14T22:14:20Z"))
        #expect(text.contains("set the wrong one right"))
        #expect(!text.contains("rotated since") && !text.contains("another talosconfig"))
      }
    }
  }

  @Test("A certificate of another CA names that CA, those that are known, and the way out")
  func unknownIssuer() {
    func text(_ credentials: FailureWords.Credentials, _ authority: String?) -> String {
      words(credentials).text(
        machine,
        .untrusted(
          "unknown issuer",
          .peerNotTrusted(
            .unknownIssuer, PresentedPeer(notBefore: 0, notAfter: 1, authority: authority))))
    }
    for credentials in Self.credentials {
      let whole = text(credentials, shown)
      #expect(whole.hasPrefix("cp-2 now has a certificate of CA 565856585658; "), "\(whole)")
      #expect(whole.contains("knows only 9d8b9d8b9d8b") && whole.contains("since"))
      #expect(text(credentials, nil).contains("a CA that is not known here"))
      #expect(whole.utf8.count <= CheckResult.detailLimit)
    }
    #expect(text(.record("prod"), nil).contains("omnictl cluster adopt prod --talosconfig FILE"))
    let running = text(.rotation("prod"), shown)
    #expect(running.contains("omnictl cluster -n prod secret rotate abort"))
    #expect(running.contains("omnictl cluster forget prod --force"))
    #expect(running.contains("somebody else has rotated"))
    #expect(text(.talosconfig, nil).contains("fresh talosconfig"))
  }

  @Test("A certificate for another name, or of no use, was not rotated since")
  func otherFaults() {
    for credentials in Self.credentials {
      let name = words(credentials).text(
        machine, .untrusted("not valid for 10.0.0.5", .peerNotTrusted(.wrongName)))
      #expect(name.contains("10.0.0.5") && name.contains("machine.certSANs"))
      let other = words(credentials).text(
        machine, .untrusted("wrong purpose", .peerNotTrusted(.other)))
      for text in [name, other] {
        #expect(text.contains("cp-2") && !text.contains("rotated"), "\(text)")
      }
    }
  }

  @Test("A refusal in the midst of a rotation may pass, and says what to do if it does not")
  func refused() {
    let failure = TalosFailure.rejected("bad certificate", .certificateRefused(alert: 42))
    let running = words(.rotation("prod")).text(machine, failure)
    #expect(running.contains("yet") && running.contains("rotate abort"))
    #expect(running.utf8.count <= CheckResult.detailLimit)
    #expect(words(.record("prod")).text(machine, failure).contains("rotated since"))
    let imported = words(.talosconfig).text(machine, failure)
    #expect(imported.contains("the talosconfig's certificate"))
    #expect(words(.record("prod")).error(machine, failure).code == .unauthenticated)
  }

  @Test(
    "Where the old CA has expired under way that is said first, and this host's clock beside it")
  func expiredUnderWay() {
    var words = words(.rotation("prod"))
    let failure = TalosFailure.untrusted("verify failed", .peerNotTrusted(.expired, nil))
    #expect(words.text(machine, failure).contains("clock"))
    let end = Instant(secondsSince1970: 1_700_000_030)
    words.expired = (known, end)
    let text = words.text(machine, failure)
    #expect(text.contains("the old CA \(known.prefix(12)) has expired on \(end)"))
    #expect(
      text.contains("unless this host's clock, which says") && !text.contains("compare the clock"))
    // What is not valid yet is a matter of clocks still.
    let early = TalosFailure.untrusted("verify failed", .peerNotTrusted(.notYetValid, nil))
    #expect(words.text(machine, early).contains("clock"))
  }
}

extension LivingMachines {
  @Suite("Clocks that are off, before anything else is asked")
  struct OffClockTests {
    @Test(
      "A record whose certificates are out of their time to every control plane is a matter of clocks"
    )
    func everyPlane() async throws {
      let harness = try await DriverHarness.start("127.1.83.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      for node in harness.cluster.nodes {
        await node.setFaults { $0.clockOffset = .seconds(-2 * 86_400) }
      }
      do throws(DriverError) {
        _ = try await harness.driver.members(ClusterAccess(cluster: record))
        Issue.record("the members were listed")
      } catch {
        #expect(error.code == .clock && error.message.contains("clock"), "\(error.message)")
        #expect(record.machines.contains { error.message.contains($0.id) })
        #expect(!error.message.contains("rotated since"), "\(error.message)")
      }
      do throws(DriverError) {
        _ = try await harness.driver.discover(
          DiscoveryRequest(name: "demo", talosconfig: harness.cluster.talosconfig))
        Issue.record("imported")
      } catch {
        #expect(error.code == .clock && error.message.contains("clock"), "\(error.message)")
        #expect(error.message.contains("the talosconfig's certificate"), "\(error.message)")
      }
      await harness.cluster.stop()
    }
  }
}
