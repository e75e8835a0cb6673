import Rotation
import Testing

@Suite("Rollout policy")
struct RolloutPolicyTests {
  typealias Turn = RolloutPolicy.Turn

  static func machine(_ id: String) -> Machine {
    Machine(id: id, address: "10.0.0.1", role: id.hasPrefix("cp") ? .controlPlane : .worker)
  }

  static func next(
    _ limit: Int, _ turns: [(String, Turn)], leaders: [String] = [], locked: [String] = []
  ) -> [String] {
    let lock = Lock(requester: "", lockedAt: Instant(secondsSince1970: 0), reason: "")
    let locks = Locks(machines: Dictionary(uniqueKeysWithValues: locked.map { ($0, lock) }))
    return RolloutPolicy(workerLimit: limit).next(
      turns.map { (machine($0.0), $0.1) }, locks: locks, leaders: leaders
    ).map(\.id)
  }

  @Test("The first control plane by name begins alone")
  func first() {
    let all: [(String, Turn)] = [
      ("w1", .pending), ("cp2", .pending), ("cp1", .pending), ("w0", .pending),
    ]
    #expect(RolloutPolicyTests.next(5, all) == ["cp1"])
  }

  @Test("Nobody begins while a control plane is in work")
  func oneAtATime() {
    #expect(
      RolloutPolicyTests.next(5, [("cp1", .inWork), ("cp2", .pending), ("w1", .pending)]) == [])
  }

  @Test("Workers begin when every control plane is done, up to the limit, by name")
  func workers() {
    let all: [(String, Turn)] = [
      ("cp1", .done), ("w3", .pending), ("w1", .pending), ("w2", .inWork), ("w4", .pending),
    ]
    #expect(RolloutPolicyTests.next(3, all) == ["w1", "w3"])
    #expect(RolloutPolicyTests.next(1, all) == [])
  }

  @Test("A control plane that joined late takes its turn before any further worker")
  func lateControlPlane() {
    let all: [(String, Turn)] = [
      ("cp1", .done), ("cp2", .pending), ("w1", .inWork), ("w2", .pending),
    ]
    #expect(RolloutPolicyTests.next(3, all) == ["cp2"])
  }

  @Test(
    "Control planes whose processes lead go last, in the order given; the others by name before them"
  )
  func leaders() {
    var turns: [String: Turn] = [
      "cp1": .pending, "cp2": .pending, "cp3": .pending, "cp4": .pending,
    ]
    var order: [String] = []
    for _ in 0..<4 {
      let begun = RolloutPolicyTests.next(
        5, turns.map { ($0.key, $0.value) }, leaders: ["cp3", "w1", "nobody", "cp1"])
      order += begun
      for id in begun { turns[id] = .done }
    }
    #expect(order == ["cp2", "cp4", "cp3", "cp1"])
    // Who is named twice goes by the later place.
    let two: [(String, Turn)] = [("cp1", .pending), ("cp2", .pending)]
    #expect(RolloutPolicyTests.next(1, two, leaders: ["cp1", "cp2", "cp1"]) == ["cp2"])
  }

  @Test("A leader does not wait for a control plane that is locked")
  func lockedBeforeLeader() {
    let two: [(String, Turn)] = [("cp1", .pending), ("cp2", .pending)]
    #expect(RolloutPolicyTests.next(1, two, leaders: ["cp1"], locked: ["cp2"]) == ["cp1"])
    #expect(RolloutPolicyTests.next(1, two, leaders: ["cp1"], locked: ["cp1"]) == ["cp2"])
  }

  @Test("In every situation, whoever leads: only which control plane begins depends on it")
  func leadersExhaustively() {
    let names = ["cp1", "cp2", "cp3", "w1", "w2"]
    let hints = [
      [], ["cp1"], ["cp2", "cp1"], ["cp1", "cp2", "cp3"], ["cp3", "cp1", "cp2"], ["w1", "w2"],
      ["cp2", "w1", "cp2"],
    ]
    for code in 0..<243 {
      var rest = code
      let situation = names.map { name -> (String, Turn) in
        defer { rest /= 3 }
        return (name, Turn.allCases[rest % 3])
      }
      let states = Dictionary(uniqueKeysWithValues: situation)
      for locked in [[], ["cp1"], ["cp2", "w1"]] {
        let usual = RolloutPolicyTests.next(2, situation, locked: locked)
        for leaders in hints {
          let begun = RolloutPolicyTests.next(2, situation, leaders: leaders, locked: locked)
          #expect(begun.count == usual.count)
          #expect(begun.allSatisfy { states[$0] == .pending && !locked.contains($0) })
          if usual.first?.hasPrefix("cp") == true {
            #expect(begun.allSatisfy { $0.hasPrefix("cp") })
          } else {
            #expect(begun == usual)
          }
        }
      }
    }
  }

  @Test("A limit below one counts as one")
  func limit() {
    #expect(RolloutPolicyTests.next(0, [("cp1", .done), ("w1", .pending)]) == ["w1"])
  }

  @Test(
    "In every situation: at most one control plane, no worker before the last of them, limit kept")
  func exhaustive() {
    let names = ["cp1", "cp2", "cp3", "w1", "w2", "w3"]
    let turns = Turn.allCases
    for limit in 1...3 {
      for code in 0..<729 {
        var rest = code
        let situation = names.map { name -> (String, Turn) in
          defer { rest /= 3 }
          return (name, turns[rest % 3])
        }
        let begun = RolloutPolicyTests.next(limit, situation)
        let states = Dictionary(uniqueKeysWithValues: situation)
        #expect(begun.allSatisfy { states[$0] == .pending })
        let open = ["cp1", "cp2", "cp3"].filter { states[$0] != .done }
        let workersInWork = ["w1", "w2", "w3"].filter { states[$0] == .inWork }.count
        let pendingWorkers = ["w1", "w2", "w3"].filter { states[$0] == .pending }.count
        if !open.isEmpty {
          #expect(begun.allSatisfy { $0.hasPrefix("cp") })
          let anyInWork = open.contains { states[$0] == .inWork }
          #expect(begun.count == (anyInWork ? 0 : 1))
        } else {
          #expect(begun.count == min(pendingWorkers, max(0, limit - workersInWork)))
        }
      }
    }
  }
}

@Suite("What a start is allowed")
struct RotationOptionsTests {
  @Test("Only three kinds of findings can be allowed, each by its own option")
  func allowed() {
    let options: [(RotationOptions, Set<Finding.Kind>)] = [
      (RotationOptions(), []), (RotationOptions(removeForeign: true), [.foreignAuthority]),
      (RotationOptions(allowUnready: true), [.unready]),
      (RotationOptions(allowUnmanagedNodes: true), [.unmanagedNode]),
    ]
    for (options, allowed) in options {
      for kind in Finding.Kind.allCases {
        #expect(options.allows(kind) == allowed.contains(kind), "\(kind)")
      }
    }
  }

  @Test("What is allowed is told, what is not keeps the rotation from starting")
  func preflight() {
    let preflight = Preflight(
      machines: [],
      findings: [Finding(.unready, "w", "w is not Ready"), Finding(.clock, "c", "c")],
      notes: ["n"])
    let options = RotationOptions(allowUnready: true)
    #expect(preflight.obstacles(options).map(\.kind) == [.clock])
    #expect(preflight.notes(options) == ["n", "w is not Ready"])
  }
}
