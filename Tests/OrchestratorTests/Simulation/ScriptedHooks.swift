import Orchestrator
import Rotation
import Synchronization

/// Hooks that do what the test says, seen by every life of the process.
final class ScriptedHooks: StageHooks {
  struct Script {
    /// How often each stage is refused before it may begin.
    var refusals: [RotationPhase: Int] = [:]
    /// How long an answer takes.
    var pace = Duration.seconds(3)
    /// Asking about this stage takes an hour.
    var hanging: RotationPhase?
    /// Always refused.
    var heldCluster: String?
    /// Stages that were let go.
    var agreed: Set<RotationPhase> = []
    var asked: [StageQuestion] = []
    var cancelled = 0
  }

  private let script: Mutex<Script>
  private let world = Mutex<World?>(nil)

  init(_ refusals: [RotationPhase: Int], pace: Duration = .seconds(3)) {
    script = Mutex(Script(refusals: refusals, pace: pace))
  }

  func watch(_ world: World) { self.world.withLock { $0 = world } }
  func update<Value: Sendable>(_ change: (inout Script) -> Value) -> Value {
    script.withLock { change(&$0) }
  }
  var asked: [StageQuestion] { update { $0.asked } }

  func hang(before phase: RotationPhase) { update { $0.hanging = phase } }

  /// Returns when the hooks are being asked about the stage.
  func untilAsked(_ phase: RotationPhase, _ process: Process) throws {
    try process.world.perform(limit: .seconds(4000)) { [self] in
      while !asked.contains(where: { $0.phase == phase }) {
        try await process.world.clock.sleep(for: .milliseconds(100))
      }
    }
  }

  var names: [String] { ["10-window", "20-balancer"] }

  func ask(_ question: StageQuestion) async -> StageAnswer {
    let pace = update { script in
      script.asked.append(question)
      return script.hanging == question.phase ? .seconds(3600) : script.pace
    }
    let world = self.world.withLock { $0 }
    if (try? await world?.clock.sleep(for: pace)) == nil {
      update { $0.cancelled += 1 }
      return .wait(hook: "10-window", said: "no longer asked")
    }
    return update { script in
      if script.heldCluster == question.cluster { return .wait(hook: "10-window", said: "never") }
      let left = script.refusals[question.phase] ?? 0
      guard left == 0 else {
        script.refusals[question.phase] = left - 1
        return .wait(hook: "10-window", said: "not yet, \(left) to go")
      }
      script.agreed.insert(question.phase)
      return .go
    }
  }
}
