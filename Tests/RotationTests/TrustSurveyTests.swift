import Rotation
import Testing

@Suite("What machines show of a rotation that somebody else has begun")
struct TrustSurveyTests {
  private let old = "old"
  private let new = "new"
  private let invented = "invented"

  private func machine(_ id: String, _ role: MachineRole = .controlPlane) -> Machine {
    Machine(id: id, address: "10.0.0.1", role: role, identity: id)
  }

  private func seen(
    _ id: String, issuing: String?, accepts: [String], role: MachineRole = .controlPlane
  ) -> TrustSurvey.Seen {
    TrustSurvey.Seen(
      machine: machine(id, role), issuing: issuing, holdsKey: role == .controlPlane,
      listed: accepts, inUse: [accepts])
  }

  private static let now = Instant(secondsSince1970: 1_000_000)

  /// - Parameters:
  ///   - ages: the authorities, the oldest first.
  ///   - lives: how much longer they live; ten years where nothing is said.
  private func survey(
    _ machines: [TrustSurvey.Seen], known: TrustSurvey.Known = .init(),
    ages: [String] = ["old", "new", "invented"], lives: [String: Duration] = [:]
  ) -> TrustSurvey {
    let authorities = ages.enumerated().map { index, name in
      (
        name,
        TrustSurvey.Authority(
          name: name, notBefore: Instant(secondsSince1970: Int64(index) * 3600),
          notAfter: Self.now.advanced(by: lives[name] ?? .seconds(87_600 * 3600)), isRoot: true)
      )
    }
    return TrustSurvey(
      component: .talosCA, machines: machines, known: known,
      authorities: Dictionary(uniqueKeysWithValues: authorities), now: Self.now)
  }

  private func outcome(
    _ machines: [TrustSurvey.Seen], known: TrustSurvey.Known = .init(),
    ages: [String] = ["old", "new", "invented"], lives: [String: Duration] = [:]
  ) -> TrustSurvey.Outcome {
    survey(machines, known: known, ages: ages, lives: lives).outcome
  }

  private func unfinished(_ outcome: TrustSurvey.Outcome) throws -> TrustSurvey.Unfinished {
    guard case .unfinished(let found) = outcome else {
      Issue.record("\(outcome)")
      throw CancellationError()
    }
    return found
  }

  @Test("A rotation that has come as far as ROTATE is told by what control planes issue from")
  func rotating() throws {
    let found = try unfinished(
      outcome([
        seen("cp-1", issuing: new, accepts: [new, old]),
        seen("cp-2", issuing: old, accepts: [old, new]),
        seen("w-1", issuing: old, accepts: [old, new], role: .worker),
      ]))
    #expect(found.old == old && found.new == new && found.phase == .rotate)
    #expect(found.foreign.isEmpty)
  }

  @Test(
    "A CA that one worker names alone is never one that all machines are to accept, however old it says it is",
    arguments: [["old", "invented"], ["invented", "old"]], [true, false])
  func invented(ages: [String], isKnown: Bool) throws {
    let machines = [
      seen("cp-1", issuing: old, accepts: [old]), seen("cp-2", issuing: old, accepts: [old]),
      seen("w-1", issuing: invented, accepts: [invented, old], role: .worker),
    ]
    let known = TrustSurvey.Known(current: isKnown ? old : nil, withKeys: isKnown ? [old] : [])
    let found = try unfinished(outcome(machines, known: known, ages: ages))
    // Whichever way is taken, the stage accepts one CA, and that is not the invented one.
    if found.new == invented {
      #expect(found.phase == .preRotate && found.finishObstacle != nil)
    } else {
      #expect(found.old == invented && found.new == old && found.phase == .postRotate)
    }
  }

  @Test("Nor does it close the way of a rotation that somebody has begun: it takes no part")
  func beside() throws {
    let found = try unfinished(
      outcome([
        seen("cp-1", issuing: new, accepts: [new, old]),
        seen("cp-2", issuing: old, accepts: [old, new]),
        seen("w-1", issuing: invented, accepts: [invented, old, new], role: .worker),
      ]))
    #expect(found.old == old && found.new == new)
    #expect(found.foreign.map(\.authority) == [invented])
    #expect(found.foreign.map(\.machine.id) == ["w-1"])
  }

  @Test("A worker's CA counts where a control plane accepts it, and where it is on record")
  func vouched() throws {
    let listed = try unfinished(
      outcome([
        seen("cp-1", issuing: new, accepts: [new, old]),
        seen("w-1", issuing: old, accepts: [old, new], role: .worker),
      ]))
    #expect(listed.old == old && listed.phase == .rotate)
    let retired = try unfinished(
      outcome(
        [
          seen("cp-1", issuing: new, accepts: [new]),
          seen("w-1", issuing: old, accepts: [old], role: .worker),
        ], known: TrustSurvey.Known(current: new, retired: [old], withKeys: [new])))
    #expect(retired.old == old && retired.new == new && retired.phase == .postRotate)
  }

  // MARK: Expiry

  /// Three control planes in every way in which they can stand between two authorities.
  private static let standings: [[(issuing: String, acceptsOther: Bool)]] = {
    let one = [("old", false), ("old", true), ("new", false), ("new", true)]
    return one.flatMap { a in one.flatMap { b in one.map { [a, b, $0] } } }
  }()

  @Test("Nothing is finished with a new CA that has expired, and nothing goes back to an old one")
  func expired() throws {
    let lives: [Duration] = [.seconds(-1), .zero, .seconds(3600), .seconds(400 * 24 * 3600)]
    var met: Set<String> = []
    for standing in Self.standings {
      let machines = standing.enumerated().map { index, plane in
        let other = plane.issuing == old ? new : old
        return seen(
          "cp-\(index)", issuing: plane.issuing,
          accepts: [plane.issuing] + (plane.acceptsOther ? [other] : []))
      }
      for oldLife in lives {
        for newLife in lives {
          let lasting = outcome(machines)
          guard
            case .unfinished(let found) = outcome(
              machines, lives: [old: oldLife, new: newLife]),
            case .unfinished(let before) = lasting
          else { continue }
          let note = "\(standing) \(oldLife) \(newLife)"
          #expect(found.old == before.old && found.new == before.new, "\(note)")
          #expect(found.phase == before.phase, "\(note)")
          let (oldEnds, newEnds) = (oldLife, newLife)
          if newEnds <= .zero {
            #expect(found.finishObstacle?.contains("expired on 1970-01-12T") == true, "\(note)")
          }
          if oldEnds <= .zero { #expect(found.returnObstacle != nil, "\(note)") }
          // Where the old one is good, somebody issues from it, and nobody refuses it, there is a way.
          if newEnds <= .zero, oldEnds > .zero, before.returnObstacle == nil,
            standing.contains(where: { $0.issuing == old })
          {
            #expect(found.returnObstacle == nil, "\(note)")
            met.insert("taken back")
          }
          // Where a new CA that ends soon is the only way, it is gone.
          if newEnds > .zero, before.finishObstacle == nil, found.returnObstacle != nil {
            #expect(found.finishObstacle == nil, "\(note)")
            met.insert("only way")
          }
          if newLife == .seconds(3600), before.finishObstacle == nil, before.returnObstacle == nil {
            let isClosed = oldLife > .seconds(24 * 3600)
            #expect((found.finishObstacle?.contains("expires on") == true) == isClosed, "\(note)")
            met.insert(isClosed ? "ends soon" : "both end soon")
          }
        }
      }
    }
    #expect(met == ["taken back", "only way", "ends soon", "both end soon"])
  }

  @Test("Where no control plane issues from the old CA, nobody can be led back from an expired one")
  func beyondReach() throws {
    let machines = (0..<3).map { seen("cp-\($0)", issuing: new, accepts: [new, old]) }
    let known = TrustSurvey.Known(current: old, withKeys: [old, new])
    #expect(try unfinished(outcome(machines, known: known)).returnObstacle == nil)
    let found = try unfinished(outcome(machines, known: known, lives: [new: .zero]))
    #expect(found.finishObstacle?.contains("expired on") == true)
    #expect(found.returnObstacle?.contains("apply configurations by hand") == true)
  }

  // MARK: What cannot be told apart

  @Test("Three CAs, or two of one age, are unclear, and the words say what a person can do")
  func unclear() {
    let three = ["old", "new", "invented"].map { (name: String) in
      seen("cp-" + name, issuing: name, accepts: ["old", "new", "invented"])
    }
    let two = three.prefix(2).map { $0 }
    let nine = (0..<9).map { seen("cp-\($0)", issuing: "\($0)", accepts: ["\($0)"]) }
    let many = TrustSurvey(
      component: .kubernetesCA, machines: nine, known: .init(),
      authorities: Dictionary(
        uniqueKeysWithValues: (0..<9).map {
          (
            "\($0)",
            TrustSurvey.Authority(
              name: "CA 1f2e3d4c5b6\($0) (O=kubernetes)", notBefore: Self.now,
              notAfter: Self.now.advanced(by: .seconds(9)), isRoot: true)
          )
        }), now: Self.now)
    let sameAge = TrustSurvey(
      component: .talosCA, machines: two, known: .init(),
      authorities: Dictionary(
        uniqueKeysWithValues: ["old", "new", "invented"].map {
          (
            $0,
            TrustSurvey.Authority(
              name: $0, notBefore: Self.now, notAfter: Self.now.advanced(by: .seconds(9)),
              isRoot: true)
          )
        }), now: Self.now)
    for (outcome, words) in [
      (outcome(three), "an intruder has made one"), (sameAge.outcome, "of the same age"),
      (many.outcome, "and 6 more"),
    ] {
      guard case .unclear(let reason) = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      #expect(reason.contains(words) && reason.contains("by hand"), "\(reason)")
      #expect(reason.contains("then adopt again"), "\(reason)")
      #expect(reason.utf8.count <= CheckResult.detailLimit, "\(reason)")
    }
  }

  @Test("Machines are reached by one CA only where all issue from it, hold its key and accept it")
  func common() {
    func all(_ change: (inout [TrustSurvey.Seen]) -> Void) -> String? {
      var machines = [
        seen("cp-1", issuing: old, accepts: [old, new]), seen("cp-2", issuing: old, accepts: [old]),
        seen("w-1", issuing: nil, accepts: [old], role: .worker),
      ]
      change(&machines)
      return survey(machines).common
    }
    #expect(all { _ in } == old)
    #expect(all { $0[1].issuing = new } == nil)
    #expect(all { $0[1].holdsKey = false } == nil)
    #expect(all { $0[1].inUse = [[new]] } == nil)
    #expect(all { $0[2].listed = [new] } == nil)
    // What a worker names proves nothing, and is in nobody's way.
    #expect(all { $0[2].issuing = invented } == old)
    #expect(all { $0 = [] } == nil)
  }
}
