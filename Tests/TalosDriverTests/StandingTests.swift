import Orchestrator
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("What the control planes say of a record, taken together")
struct StandingBallotTests {
  private static let outdated = ClusterStanding.outdated(.talosCA, "rotated since")
  private static let overtaken = ClusterStanding.overtaken(.talosCA, "further")

  private func result(
    _ answers: [StandingBallot.Answer], of planes: Int, isRotating: Bool = false
  ) -> ClusterStanding {
    var ballot = StandingBallot(planes: planes, isRotating: isRotating)
    for answer in answers { ballot.add(answer) }
    return ballot.result(late: "late")
  }

  @Test("One that was set up anew, put back or is answered for by another decides nothing")
  func minority() {
    for odd in [StandingBallot.Answer.stranger(Self.outdated), .shown(Self.outdated)] {
      #expect(result([odd, .current, .current], of: 3) == .current)
      #expect(result([.current, odd], of: 2) == .current)
      // The others are just down.
      #expect(result([odd, .current], of: 3) == .current)
    }
  }

  @Test("More than half that live by another CA make the record outdated")
  func majority() {
    for odd in [StandingBallot.Answer.stranger(Self.outdated), .shown(Self.outdated)] {
      #expect(result([.current, odd, odd], of: 3) == Self.outdated)
      #expect(result([odd], of: 1) == Self.outdated)
    }
    #expect(result([.shown(Self.outdated), .silent("down")], of: 3) == Self.outdated)
  }

  @Test("A stranger beside silence is no news of the cluster, and silence alone is none either")
  func silence() {
    #expect(result([.stranger(Self.outdated), .silent("down")], of: 3) == .unknown("down"))
    #expect(result([.stranger(Self.outdated)], of: 2) == .unknown("late"))
    #expect(result([], of: 3) == .unknown("late"))
    #expect(result([.silent("down")], of: 1) == .unknown("down"))
  }

  @Test("While a rotation runs the record is wrong only where no control plane is as it has it")
  func rotating() {
    let (odd, further) = (
      StandingBallot.Answer.shown(Self.outdated), StandingBallot.Answer.shown(Self.overtaken)
    )
    #expect(result([odd, odd, .current], of: 3, isRotating: true) == .current)
    #expect(result([odd, odd, .silent("down")], of: 3, isRotating: true) == .unknown("down"))
    #expect(result([further, odd, further], of: 3, isRotating: true) == Self.outdated)
    #expect(result([further, further], of: 2, isRotating: true) == Self.overtaken)
  }

  @Test("What further answers cannot change is known at once, and is what is said in the end")
  func decision() {
    let all: [StandingBallot.Answer] = [
      .current, .shown(Self.outdated), .stranger(Self.outdated), .silent("down"),
    ]
    for isRotating in [false, true] {
      for a in all {
        for b in all {
          for c in all {
            var ballot = StandingBallot(planes: 3, isRotating: isRotating)
            var decided: ClusterStanding?
            for answer in [a, b, c] {
              ballot.add(answer)
              if let decided { #expect(ballot.decision == decided) }
              decided = ballot.decision
            }
            if let decided { #expect(ballot.result(late: "late") == decided) }
          }
        }
      }
    }
  }
}

extension LivingMachines {
  @Suite("Records that are older than their machines, and what machines call themselves")
  struct StandingTests {
    @Test(
      "A record from before a rotation is outdated and starts nothing; the new one is current and clean",
      arguments: SecretComponent.allCases)
    func outdated(component: SecretComponent) async throws {
      let harness = try await DriverHarness.start(
        component == .talosCA ? "127.1.81.0" : "127.1.82.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      #expect(await harness.driver.standing(ClusterAccess(cluster: record)) == .current)
      #expect(try await harness.findings(record, component) == [])
      let (change, open) = try await harness.rotate(component, record)
      #expect(open == [])
      guard
        case .outdated(component, let text) = await harness.driver.standing(
          ClusterAccess(cluster: record))
      else {
        Issue.record("the old record counts as current")
        return
      }
      #expect(text.contains("rotated since") && text.contains("demo"))
      do throws(DriverError) {
        let preflight = try await harness.driver.preflight(
          component, options: RotationOptions(), access: ClusterAccess(cluster: record))
        let kinds = Set(preflight.findings.map(\.kind))
        #expect(kinds.isSuperset(of: [component == .talosCA ? .unreachable : .rotatedElsewhere]))
        #expect(preflight.findings.contains { $0.message.contains("rotated since") })
      } catch {
        #expect(error.message.contains("rotated since"), "\(error.message)")
      }
      var renewed = record
      renewed.authorities[component] = change.new
      #expect(await harness.driver.standing(ClusterAccess(cluster: renewed)) == .current)
      for other in SecretComponent.allCases {
        #expect(try await harness.findings(renewed, other) == [])
      }
      await harness.cluster.nodes[0].powerOff()
      await harness.cluster.nodes[1].powerOff()
      guard case .unknown = await harness.driver.standing(ClusterAccess(cluster: renewed)) else {
        Issue.record("machines that are off say something")
        return
      }
      await harness.cluster.stop()
    }

    @Test("A control plane that was put back alone keeps nobody from the credentials of the others")
    func one() async throws {
      let harness = try await DriverHarness.start("127.1.197.0", controlPlanes: 3, workers: 0)
      let record = try await harness.importCluster()
      let plane = harness.cluster.nodes[0]
      let before = await plane.configuration
      let (change, open) = try await harness.rotate(.talosCA, record)
      #expect(open == [])
      var renewed = record
      renewed.authorities[.talosCA] = change.new
      try await plane.write(before)
      _ = await harness.cluster.settle()
      #expect(await harness.driver.standing(ClusterAccess(cluster: renewed)) == .current)
      // A store from before, whose CA that one control plane alone lets in still.
      guard
        case .outdated(.talosCA, _) = await harness.driver.standing(ClusterAccess(cluster: record))
      else {
        Issue.record("a CA that two of three refuse counts as the cluster's")
        return
      }
      await harness.cluster.stop()
    }

    @Test(
      "A member with an absurd name is refused by its node id, without a character that steers a terminal",
      arguments: [
        "w\u{202E}gnp", "w\u{1B}[2J", "w\u{9B}31m", "w\nSUCCEEDED", "w\u{2066}x", "w\u{0}x",
        "../../etc",
        String(repeating: "x", count: 100_000), "a b",
      ])
    func absurd(name: String) async throws {
      let harness = try await DriverHarness.start("127.1.83.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[1]
      await harness.cluster.setMemberLies([.change(worker.name) { $0.hostname = name }])
      let refusal = try #require(await harness.refusal())
      let members = await #expect(throws: DriverError.self) {
        try await harness.driver.members(ClusterAccess(cluster: record))
      }
      for error in [refusal, try #require(members)] {
        #expect(error.code == .refused && error.message.contains(worker.nodeID))
        #expect(error.message.utf8.count < 2_000)
        #expect(error.message == PeerText.clean(error.message))
      }
      await harness.cluster.stop()
    }

    @Test("A cluster without Kubernetes is imported with the Talos CA alone, and rotates it")
    func withoutKubernetes() async throws {
      let harness = try await DriverHarness.start(
        "127.1.84.0", layout: .multidoc, controlPlanes: 2, workers: 1
      ) { $0.withoutKubernetes = true }
      let found = try await harness.discovered()
      #expect(Set(found.record.authorities.keys) == [.talosCA])
      #expect(found.warnings.contains { $0.contains("no Kubernetes") })
      #expect(try await harness.findings(found.record, .talosCA) == [])
      let (change, open) = try await harness.rotate(.talosCA, found.record)
      #expect(open == [])
      var record = found.record
      record.authorities[.talosCA] = change.new
      #expect(try await harness.findings(record, .talosCA) == [])
      #expect(await harness.driver.standing(ClusterAccess(cluster: record)) == .current)
      await harness.cluster.stop()
    }
  }
}
