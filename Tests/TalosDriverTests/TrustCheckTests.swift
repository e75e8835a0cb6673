import Crypto
import Orchestrator
import Rotation
import Synchronization
import Testing

@testable import TalosDriver

@Suite("Judging what machines show")
struct TrustCheckTests {
  let now = Instant(secondsSince1970: 1_700_000_000)
  let keyring: Keyring
  let old: Authority
  let new: Authority
  let foreign: Authority

  init() throws {
    keyring = Keyring(
      sealer: try Sealer(masterKey: Array(repeating: 7, count: 32)), lifetime: 3_600
    ) { 1_700_000_000 }
    old = try Authority.generate(.talos, now: 1_700_000_000)
    new = try Authority.generate(.talos, now: 1_700_000_000)
    foreign = try Authority.generate(.talos, now: 1_700_000_000)
  }

  private func binding(_ rotation: String = "") -> AuthorityBinding {
    AuthorityBinding(cluster: "demo", component: .talosCA, rotation: rotation)
  }

  private func trust(
    _ phase: RotationPhase, _ direction: RotationDirection = .forward
  ) throws -> ChangeTrust {
    try ChangeTrust(
      TrustChange(
        component: .talosCA, phase: phase, direction: direction,
        old: try keyring.seal(old, for: binding()),
        new: try keyring.seal(new, for: binding("r1"))), .controlPlane, keyring)
  }

  @Test("Accepted lists must hold what the stage asks for, and nothing that it dropped")
  func accepted() throws {
    let (o, n, f) = (old.certificate, new.certificate, foreign.certificate)
    let cases: [(RotationPhase, [Certificate], CheckResult.State)] = [
      (.preRotate, [o, n], .passed), (.preRotate, [n, o], .passed), (.preRotate, [o], .waiting),
      (.preRotate, [n], .waiting), (.preRotate, [o, n, f], .failed), (.rotate, [n, o], .passed),
      (.rotate, [n], .waiting), (.postRotate, [n], .passed), (.postRotate, [n, o], .waiting),
      (.postRotate, [o], .waiting), (.postRotate, [], .waiting), (.postRotate, [n, f], .failed),
    ]
    for (phase, list, state) in cases {
      #expect(
        try trust(phase).acceptedCheck(.accepted, SeenTrust(list)).state == state,
        "\(phase) \(list.count)")
    }
    #expect(try trust(.postRotate).acceptedCheck(.accepted, nil).state == .waiting)
    // Backwards, it is the new one that has to go.
    #expect(
      try trust(.preRotate, .backward).acceptedCheck(.accepted, SeenTrust([o])).state == .passed)
    #expect(
      try trust(.preRotate, .backward).acceptedCheck(.accepted, SeenTrust([o, n])).state == .waiting
    )
  }

  @Test("A leaf counts only when the authority of the stage has signed it")
  func leaves() throws {
    func leaf(_ authority: Authority) throws -> [Certificate] {
      [
        try authority.issue(
          .apidServer(dnsNames: [], ipAddresses: ["10.0.0.1"]), now: 1_700_000_000
        ).certificate
      ]
    }
    for (phase, good, bad) in [
      (RotationPhase.preRotate, old, new), (.rotate, new, old), (.postRotate, new, old),
    ] {
      let trust = try trust(phase)
      #expect(trust.leafCheck(.serverLeaf, try leaf(good), purpose: .server).state == .passed)
      #expect(trust.leafCheck(.serverLeaf, try leaf(bad), purpose: .server).state == .waiting)
      #expect(trust.leafCheck(.serverLeaf, try leaf(foreign), purpose: .server).state == .waiting)
      #expect(trust.leafCheck(.serverLeaf, [], purpose: .server).state == .waiting)
      // The old and the new authority have the same name: carrying the right one along proves nothing.
      #expect(
        trust.leafCheck(.serverLeaf, try leaf(bad) + [good.certificate], purpose: .server).state
          == .waiting)
    }
  }

  @Test("An authority that is to issue is told from one that is not")
  func issuing() throws {
    #expect(try trust(.preRotate).issuingCheck(.issuing, old.certificate).state == .passed)
    #expect(try trust(.rotate).issuingCheck(.issuing, old.certificate).state == .waiting)
    #expect(try trust(.rotate).issuingCheck(.issuing, new.certificate).state == .passed)
    #expect(try trust(.rotate).issuingCheck(.issuing, nil).state == .waiting)
  }

  @Test("A stale worker is seen by its list and by its certificate")
  func stale() throws {
    func seen(_ server: Authority, _ accepted: [Authority]) throws -> TalosObservation {
      var seen = TalosObservation(configs: MachineConfigs(active: []))
      let leaf = try server.issue(
        .apidServer(dnsNames: [], ipAddresses: ["10.0.0.1"]), now: 1_700_000_000)
      seen.api = .init(
        server: leaf.certificates, accepted: SeenTrust(accepted.map(\.certificate)))
      return seen
    }
    #expect(try !seen(new, [new, old]).isStale(trust(.rotate)))
    #expect(try seen(old, [new, old]).isStale(trust(.rotate)))
    #expect(try seen(new, [new, old]).isStale(trust(.postRotate)))
    #expect(try !seen(new, [new]).isStale(trust(.postRotate)))
  }

  @Test("A kubelet that is yet to be restarted with its new secrets does not count")
  func kubeletToCome() throws {
    let machine = Machine(id: "w", address: "10.0.0.1", role: .worker)
    let changed = now.advanced(by: .seconds(-3))
    let cases: [(updated: Duration, changed: Instant, state: CheckResult.State)] = [
      (.milliseconds(-1), changed, .waiting), (.milliseconds(1), changed, .passed),
      // A clock that is set in the midst of it makes no kubelet look restarted.
      (.seconds(-1), now.advanced(by: .seconds(-300)), .waiting),
      (.seconds(-1), now.advanced(by: .seconds(300)), .waiting),
      // What is long over when it is seen first is not waited for.
      (.seconds(-1), now.advanced(by: .seconds(-700)), .passed),
      (.seconds(-1), now.advanced(by: .seconds(700)), .passed),
    ]
    let new = Freshness(now: now) { _, _ in .zero }
    // Nobody waits for ever, whatever the clocks say.
    let known = Freshness(now: now) { _, _ in .seconds(60) }
    for (offset, changed, state) in cases {
      var seen = KubernetesObservation(configs: MachineConfigs(active: []))
      seen.kubeletSecretsUpdated = changed
      seen.kubelet = .init(
        running: true, healthy: true, unknown: false, updated: changed.advanced(by: offset))
      #expect(seen.kubeletCheck(machine, new).state == state, "\(offset)")
      #expect(seen.kubeletCheck(machine, known).state == .passed, "\(offset)")
    }
  }

  @Test("The kubelet has to run and be healthy")
  func kubelet() throws {
    let cases: [(KubernetesObservation.Service?, CheckResult.State)] = [
      (nil, .waiting), (.init(running: true, healthy: true, unknown: false), .passed),
      (.init(running: false, healthy: true, unknown: false), .waiting),
      (.init(running: true, healthy: false, unknown: true), .waiting),
    ]
    let machine = Machine(id: "w", address: "10.0.0.1", role: .worker)
    for (service, state) in cases {
      var seen = KubernetesObservation(configs: MachineConfigs(active: []))
      seen.kubelet = service
      let checks = try seen.checks(
        trust(.preRotate), machine, isExcused: false, Freshness(now: now) { _, _ in .zero })
      #expect(checks.first { $0.name == "kubelet" }?.state == state)
      #expect(checks.first { $0.name == "kubelet-client" }?.state == .waiting)
      // One that did not run before the rotation is not waited for.
      let excused = try seen.checks(
        trust(.preRotate), machine, isExcused: true, Freshness(now: now) { _, _ in .zero })
      #expect(excused.first { $0.name == "kubelet" }?.state == .notApplicable)
      #expect(!excused.contains { $0.name == "kubelet-client" })
    }
  }

  @Test("A sealed key opens only for the cluster, component, rotation and certificate it is of")
  func binding() throws {
    let sealed = try keyring.seal(new, for: binding("r1"))
    #expect(try PrivateKey(pem: keyring.keyPEM(sealed)).matches(new.certificate))
    let moves: [(inout SealedAuthority) -> Void] = [
      { $0.binding.cluster = "demo-2" }, { $0.binding.component = .kubernetesCA },
      { $0.binding.rotation = "" }, { $0.binding.rotation = "r2" },
      { $0.fingerprint = old.certificate.fingerprint },
    ]
    for move in moves {
      var moved = sealed
      move(&moved)
      #expect(throws: DriverError.self) { try keyring.keyPEM(moved) }
    }
  }

  @Test("A kept certificate that is not valid yet, the clock having been set back, is made anew")
  func clockSetBack() throws {
    let clock = Mutex<Int64>(1_700_000_000)
    let keyring = Keyring(
      sealer: try Sealer(masterKey: Array(repeating: 7, count: 32)), lifetime: 3_600
    ) { clock.withLock { $0 } }
    let sealed = try keyring.seal(old, for: binding())
    let first = try keyring.identity(.talos(roles: ["os:admin"]), from: sealed)
    clock.withLock { $0 -= 3_601 }
    let second = try keyring.identity(.talos(roles: ["os:admin"]), from: sealed)
    #expect(second.certificate != first.certificate)
    #expect(second.certificate.notBefore <= 1_700_000_000 - 3_601)
    clock.withLock { $0 += 3_601 }
    #expect(
      try keyring.identity(.talos(roles: ["os:admin"]), from: sealed).certificate.notAfter
        >= 1_700_000_000)
  }

  @Test(
    "No client is asked for of a CA that has expired, in any stage: of two that are accepted the other one's is the newest",
    arguments: RotationPhase.allCases, [RotationDirection.forward, .backward])
  func expiredAuthority(phase: RotationPhase, direction: RotationDirection) throws {
    let short = try Authority.generate(
      organizations: ["talos"], keyAlgorithm: .ed25519, validity: 60, now: 1_700_000_000)
    for expires in AuthorityGeneration.allCases {
      let clock = Mutex<Int64>(1_700_000_000)
      let keyring = Keyring(
        sealer: try Sealer(masterKey: Array(repeating: 7, count: 32)), lifetime: 3_600
      ) { clock.withLock { $0 } }
      let change = TrustChange(
        component: .talosCA, phase: phase, direction: direction,
        old: try keyring.seal(expires == .old ? short : old, for: binding()),
        new: try keyring.seal(expires == .new ? short : new, for: binding("r1")))
      let record = ClusterRecord(
        name: "demo", endpoints: [], kubernetesEndpoint: "",
        authorities: [.talosCA: change.old], machines: [], talosVersion: "v1.10.0")
      let access = ClusterAccess(cluster: record, rotation: change)
      let accepted = change.bundle(for: .controlPlane).accepted
      let usual = change.authority(accepted.contains(.new) ? .new : .old)
      let before = try ChangeTrust(change, .controlPlane, keyring)
      #expect(before.newest == usual && keyring.signs(before.other))
      #expect(try ClusterTrust(.talosCA, access, keyring).signers.count == 2)
      clock.withLock { $0 += 61 }
      let gone = change.authority(expires)
      let after = try ChangeTrust(change, .controlPlane, keyring)
      #expect([after.newest, after.other].contains(gone))
      let isAlone = accepted == [expires]
      #expect((after.newest == gone) == isAlone, "\(expires)")
      #expect(keyring.signs(after.other) == isAlone)
      #expect(keyring.hasExpired(gone) && !keyring.signs(gone))
      let signers = try ClusterTrust(.talosCA, access, keyring).signers
      #expect(signers == [change.authority(expires == .old ? .new : .old)])
    }
  }

  @Test("Certificates made of a sealed authority are kept until half their life is over")
  func keptCertificates() throws {
    let clock = Mutex<Int64>(1_700_000_000)
    let keyring = Keyring(
      sealer: try Sealer(masterKey: Array(repeating: 7, count: 32)), lifetime: 3_600
    ) {
      clock.withLock { $0 }
    }
    let sealed = try keyring.seal(old, for: binding())
    #expect(!sealed.sealedKey.starts(with: Array("-----BEGIN".utf8)))
    let first = try keyring.identity(.talos(roles: ["os:admin"]), from: sealed)
    #expect(first.certificate.isSigned(by: old.certificate))
    #expect(first.certificate.subjectOrganizations == ["os:admin"])
    #expect(first.certificate.notAfter == 1_700_000_000 + 3_600)
    clock.withLock { $0 += 1_700 }
    #expect(
      try keyring.identity(.talos(roles: ["os:admin"]), from: sealed).certificate
        == first.certificate)
    #expect(
      try keyring.identity(.talos(roles: ["os:reader"]), from: sealed).certificate
        != first.certificate)
    clock.withLock { $0 += 200 }
    #expect(
      try keyring.identity(.talos(roles: ["os:admin"]), from: sealed).certificate
        != first.certificate)
  }
}
