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

  /// - Parameter ages: the authorities, the oldest first.
  private func outcome(
    _ machines: [TrustSurvey.Seen], known: TrustSurvey.Known = .init(),
    ages: [String] = ["old", "new", "invented"]
  ) -> TrustSurvey.Outcome {
    let authorities = ages.enumerated().map { index, name in
      (
        name,
        TrustSurvey.Authority(
          name: name, notBefore: Instant(secondsSince1970: Int64(index) * 3600), isRoot: true)
      )
    }
    return TrustSurvey(
      component: .talosCA, machines: machines, known: known,
      authorities: Dictionary(uniqueKeysWithValues: authorities)
    ).outcome
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
}
