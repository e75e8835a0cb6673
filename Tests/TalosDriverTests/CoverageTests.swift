import Orchestrator
import Rotation
import Testing

@testable import TalosDriver

@Suite("Whether all machines are covered")
struct CoverageTests {
  private let machines = [
    Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane, identity: "A"),
    Machine(id: "worker-1", address: "10.0.0.2", role: .worker, identity: "B"),
  ]

  private static func member(
    _ name: String, _ identity: String, _ addresses: [String] = ["10.0.0.9"],
    isControlPlane: Bool = false
  ) -> ClusterMember {
    ClusterMember(
      name: name, identity: identity, isControlPlane: isControlPlane, addresses: addresses)
  }

  @Test("Who is known to one control plane and not to another is named")
  func views() {
    let (plane, worker) = (Self.member("cp-1", "A"), Self.member("worker-1", "B"))
    let all = Coverage.View(plane: "cp-1", members: [plane, worker])
    let fewer = Coverage.View(plane: "cp-2", members: [plane])
    #expect(Coverage.findings(machines, seenBy: [all]).isEmpty)
    let missing = Coverage.findings(machines, seenBy: [all, fewer])
    #expect(missing.map(\.subject) == ["worker-1"] && missing.map(\.kind) == [.notCovered])
    #expect(missing[0].message.contains("cp-2") && missing[0].message.contains("disagree"))
    // Where all agree, nobody is said to disagree.
    let agreed = Coverage.findings(machines, seenBy: [fewer, fewer])
    #expect(agreed.map(\.subject) == ["worker-1"] && agreed.map(\.kind) == [.notCovered])
    #expect(!agreed[0].message.contains("disagree"))
    var more = all
    more.members.append(Self.member("worker-9", "C"))
    #expect(Coverage.findings(machines, seenBy: [more], excused: ["C"]).isEmpty)
    #expect(Coverage.findings(machines, seenBy: [more], excused: ["D", "worker-9"]).count == 1)
    let further = Coverage.findings(machines, seenBy: [more])
    #expect(further.map(\.subject) == ["worker-9"])
    #expect(further.first?.message.contains("locked out") == true)
    #expect(further.first?.message.contains("--leave-out worker-9") == true)
    // By a name that means another machine it would be that one that is left out.
    more.members[2].name = "worker-1"
    let namesake = Coverage.findings(machines, seenBy: [more])
    #expect(namesake.map(\.subject) == ["C"])
    #expect(namesake.first?.message.contains("--leave-out C)") == true)
  }

  @Test(
    "What several control planes know of a machine is one member, with all addresses; a name that two bear is told apart"
  )
  func merged() {
    let merged = ClusterMember.merged([
      [Self.member("w-1", "B", ["10.0.0.2"]), Self.member("cp-1", "A", isControlPlane: true)],
      [Self.member("w-1", "B", ["10.0.0.3", "10.0.0.2"]), Self.member("w-1", "C", ["10.0.0.4"])],
    ])
    #expect(merged.map(\.name) == ["cp-1", "w-1", "w-1@10.0.0.4"])
    #expect(merged.map(\.identity) == ["A", "B", "C"])
    #expect(merged[1].addresses == ["10.0.0.2"] && merged[1].otherAddresses == ["10.0.0.3"])
    let many = ClusterMember.merged([
      [Self.member("w-1", "B")], [Self.member("w-1", "B", (0..<99).map { "10.1.0.\($0)" })],
    ])
    #expect(many[0].otherAddresses.count == ClusterMember.addressLimit)
  }

  @Test("A node is a machine's by name or address; others are unmanaged")
  func nodes() {
    let nodes = [
      KnownNode(name: "cp-1", addresses: ["10.0.0.1"]),
      KnownNode(name: "renamed", addresses: ["10.0.0.2"]),
      KnownNode(name: "stray", addresses: ["10.0.0.9"]),
    ]
    let found = Coverage.nodes(nodes, of: machines)
    #expect(found.managed.map(\.0.id) == ["cp-1", "worker-1"])
    #expect(found.unmanaged.map(\.name) == ["stray"])
    #expect(Coverage.unmanaged(found.unmanaged[0]).message.contains("--allow-unmanaged-nodes"))
  }

  @Test(
    "A machine has one node: a second one at its address, or of its name without the domain, is unmanaged"
  )
  func oneNode() {
    let machines = [
      Machine(id: "a.site1", address: "10.0.0.1", role: .worker, identity: "A"),
      Machine(id: "b", address: "10.0.0.2", role: .worker, identity: "B"),
    ]
    let nodes = [
      KnownNode(name: "former", addresses: ["10.0.0.2"]),
      KnownNode(name: "a", addresses: ["10.0.0.7"]),
      KnownNode(name: "a.site1", addresses: ["10.0.0.1"]),
      KnownNode(name: "b", addresses: ["10.0.0.2"]),
    ]
    let found = Coverage.nodes(nodes, of: machines)
    #expect(found.managed.map { "\($0.0.id) \($0.1.name)" } == ["a.site1 a.site1", "b b"])
    #expect(found.unmanaged.map(\.name) == ["former", "a"])
    // Under another name alone it is the machine's all the same.
    let alone = Coverage.nodes([nodes[1], nodes[0]], of: machines)
    #expect(alone.managed.map(\.1.name) == ["a", "former"] && alone.unmanaged.isEmpty)
  }

  @Test(
    "An endpoint has to be one of the machines, by its identity or, while it is down, its address")
  func endpoints() async {
    let known = TalosEndpoint(host: "10.0.0.1")
    let other = TalosEndpoint(host: "10.0.0.100")
    func findings(
      _ endpoint: TalosEndpoint, _ answer: Result<String, TalosFailure>
    ) async -> [Finding] {
      await EndpointLook.of(
        endpoint, as: endpoint.description, answer, machines: machines, accounted: [],
        leaving: LeftOutMachines(["10.0.0.7"]), cluster: "demo"
      ) { nil }.findings
    }
    #expect(await findings(known, .success("A")) == [])
    #expect(
      await findings(other, .success("B")) == [], "a shared address of a machine that is known")
    #expect(await findings(other, .success("C")).map(\.kind) == [.notCovered])
    #expect(await findings(known, .failure(.unreachable("down"))) == [])
    let unanswered = await findings(other, .failure(.unreachable("down")))
    #expect(unanswered.map(\.kind) == [.notCovered])
    #expect(unanswered.first?.message.contains("--leave-out 10.0.0.100") == true)
    #expect(unanswered.first?.message.contains("cluster adopt demo --talosconfig") == true)
  }

  @Test(
    "An endpoint that is left out goes as long as nobody of the cluster answers there",
    arguments: ["10.0.0.100", "10.0.0.100:50000", "https://10.0.0.100"])
  func leftOutEndpoint(name: String) async {
    let text = "https://10.0.0.100"
    func look(_ answer: Result<String, TalosFailure>, _ sign: String?) async -> EndpointLook {
      await EndpointLook.of(
        TalosEndpoint(host: "10.0.0.100"), as: text, answer, machines: machines, accounted: [],
        leaving: LeftOutMachines([name, "worker-1"]), cluster: "demo"
      ) { sign }
    }
    let gone = await look(.failure(.unreachable("down")), nil)
    #expect(gone.findings == [] && gone.gone == [text] && gone.named == [name])
    let there = await look(.failure(.unreachable("down")), "it lets omnid in at 10.0.0.100")
    #expect(there.findings.map(\.kind) == [.notCovered] && there.gone == [])
    #expect(there.findings.first?.message.contains("lets omnid in") == true)
    let answered = await look(.success("B"), nil)
    #expect(answered.findings == [] && answered.gone == [])
    #expect(answered.notes == ["\(name) is not left out, because a machine answers there"])
    #expect(await look(.success("C"), nil).findings.count == 1)
  }

  @Test("A newcomer under a name that a known machine has given up is told apart from it")
  func freeName() {
    func member(_ name: String, _ identity: String, _ address: String) -> ClusterMember {
      ClusterMember(
        name: name, identity: identity, isControlPlane: false, addresses: [address])
    }
    let newcomer = member("worker-1", "C", "10.0.0.3")
    let renamed = [member("worker-9", "B", "10.0.0.2"), newcomer]
    func name(
      _ newcomer: ClusterMember, _ members: [ClusterMember], hasKubernetes: Bool = true,
      answersAt address: String? = nil
    ) -> String {
      let authority = SealedAuthority(
        certificatePEM: "", fingerprint: "", sealedKey: [],
        binding: AuthorityBinding(cluster: "demo", component: .kubernetesCA))
      let record = ClusterRecord(
        name: "demo", endpoints: [], kubernetesEndpoint: "",
        authorities: hasKubernetes ? [.kubernetesCA: authority] : [:], machines: machines,
        talosVersion: "")
      return TalosDriver.freeName(
        of: newcomer, among: members, ClusterAccess(cluster: record), answersAt: address)
    }
    #expect(name(newcomer, renamed) == "worker-1@10.0.0.3")
    // Set up anew: the node of that name is the newcomer's, so the machine that bore the name is there no more.
    #expect(name(newcomer, [newcomer]) == "worker-1")
    // Without nodes it may be off, unless the newcomer itself answers at its address: to announce that proves nothing.
    #expect(name(newcomer, [newcomer], hasKubernetes: false) == "worker-1@10.0.0.3")
    let there = member("worker-1", "C", "10.0.0.2")
    #expect(name(there, [there], hasKubernetes: false) == "worker-1@10.0.0.2")
    #expect(name(there, [there], hasKubernetes: false, answersAt: "10.0.0.2") == "worker-1")
  }

  @Test("A kubelet that runs with the old CA alone is not taken for one that cannot be asked")
  func kubelets() {
    func check(_ control: Int, _ dropped: KubernetesAnswer) -> CheckResult {
      TalosDriver.kubeletRefusal(control: control, dropped: dropped)
    }
    #expect(check(200, .status(401, [])).state == .passed)
    #expect(check(403, .status(401, [])).state == .passed)
    #expect(check(200, .status(200, [])).state == .waiting)
    #expect(check(401, .status(200, [])).state == .waiting)
    #expect(check(401, .status(403, [])).state == .waiting)
    #expect(check(401, .unreachable("gone")).state == .waiting)
    #expect(check(401, .status(401, [])).state == .notApplicable)
  }

  @Test("Two members that are one machine are noticed")
  func distinct() {
    #expect(DistinctMachines.check(machines).isSettled)
    var doubled = machines
    doubled[1].identity = "A"
    let check = DistinctMachines.check(doubled)
    #expect(check.state == .failed)
    #expect(check.detail.contains("cp-1") && check.detail.contains("worker-1"))
  }
}

@Suite("What machines say, made fit for people")
struct PeerWordsTests {
  @Test("Control, format and bidirectional characters never reach a text")
  func characters() {
    let hostile = "a\u{1B}[31mred\u{9B}x\u{202E}evil\u{200B}\u{2028}\u{7F}b"
    let clean = PeerText.clean(hostile)
    #expect(clean == "a [31mred x evil   b")
    #expect(PeerText.clean(String(repeating: "ä ", count: 10_000)).utf8.count < 1_000)
  }

  @Test("Names are host names, identities are base 62 or 64; anything else is neither")
  func grammar() {
    #expect(PeerText.hostName("worker-1.example.com") == "worker-1.example.com")
    for text in ["", "-a", "a-", "a b", "a\u{202E}b", "a..b", String(repeating: "a", count: 300)] {
      #expect(PeerText.hostName(text) == nil, "\(text.debugDescription)")
    }
    #expect(PeerText.identity("7x1SuC8Ege5BGXdAfTEff5iQnlWZLfv9h1LGMxA2pYkC") != nil)
    for text in ["", "a b", "a\n", "a\u{202E}", String(repeating: "a", count: 200)] {
      #expect(PeerText.identity(text) == nil, "\(text.debugDescription)")
    }
  }

  @Test("Points in time are read as Kubernetes and HTTP write them")
  func times() {
    let whole = Instant(secondsSince1970: 1_795_455_778)
    #expect(Instant(rfc3339: "2026-11-23T17:42:58Z") == whole)
    #expect(
      Instant(rfc3339: "2026-11-23T17:42:58.123456Z")
        == whole.advanced(by: .microseconds(123_456)))
    #expect(Instant(rfc3339: "2026-11-23T18:42:58+01:00") == whole)
    #expect(Instant(rfc3339: "2024-02-29T00:00:00Z")?.description == "2024-02-29T00:00:00Z")
    #expect(Instant(httpDate: "Mon, 23 Nov 2026 17:42:58 GMT") == whole)
    #expect(
      Instant(rfc3339: "2026-11-23T17:42:58.1234567899Z")
        == whole.advanced(by: .nanoseconds(123_456_789)))
    for text in [
      "", "2026-11-23", "2026-13-23T00:00:00Z", "2026-11-23T25:00:00Z", "x",
      // No dates, years that an Instant does not hold, and what is more lenient than both grammars.
      "2026-02-31T00:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2026-1-2T3:4:5Z",
      "2026-11-23T17:42:58+1:-5", "Tue, 31 Feb 2026 17:42:58 GMT", "Mon, 23 Nov 2026 99:99:99 GMT",
      "Sat, 01 Jan 2262 00:00:00 GMT",
    ] {
      #expect(Instant(rfc3339: text) == nil, "\(text)")
      #expect(Instant(httpDate: text) == nil, "\(text)")
    }
  }
}
