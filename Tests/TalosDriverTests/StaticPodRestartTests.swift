import Orchestrator
import ProtoCodec
import Rotation
import Testing

@testable import TalosDriver

@Suite("Telling a restart that is over from one that is yet to come")
struct StaticPodRestartTests {
  private let edit = Instant(secondsSince1970: 1_700_000_000)

  private func pod(
    _ pod: StaticPod, version: String, container: String, restarts: Int = 0, ready: Bool = true,
    startedAt: Instant? = nil
  ) throws -> MirrorPod {
    let state =
      startedAt.map { "\"running\": {\"startedAt\": \"\($0)\"}" }
      ?? "\"waiting\": {\"reason\": \"CrashLoopBackOff\"}"
    let text = """
      {"metadata": {"annotations": {"talos.dev/secrets-version": "\(version)"}},
       "status": {"conditions": [{"type": "Ready", "status": "\(ready ? "True" : "False")"}],
        "containerStatuses": [{"containerID": "\(container)", "restartCount": \(restarts),
         "state": {\(state)}}]}}
      """
    return MirrorPod(try JSONValue(parsing: Array(text.utf8)))
  }

  private func restart(
    version: String = "4", mirrors: [StaticPod: MirrorPod], baseline: Baseline?, ready: Bool = true,
    given: String? = nil, updated: Instant? = nil, created: Instant? = nil,
    seen: Duration = .zero, isPodless: Bool = false
  ) -> CheckResult {
    let definition = StaticPodSecrets.Definition(version: given ?? version, updated: updated)
    let secrets = StaticPodSecrets(
      isReady: ready, version: version,
      pods: Dictionary(uniqueKeysWithValues: StaticPod.allCases.map { ($0, definition) }),
      created: created)
    return StaticPodRestart(
      secrets: secrets, mirrors: mirrors, baseline: baseline,
      freshness: Freshness(now: edit.advanced(by: .seconds(5))) { _, _ in seen },
      isPodless: isPodless
    ).check(machine: "cp-1")
  }

  private var before: Baseline {
    Baseline([
      "holds": "false", "secrets-version": "3", "kube-apiserver": "old#0",
      "kube-controller-manager": "old#0", "kube-scheduler": "old#0",
    ])
  }

  private func all(
    version: String, container: String, restarts: Int = 0, startedAt: Instant? = nil
  ) throws -> [StaticPod: MirrorPod] {
    var pods: [StaticPod: MirrorPod] = [:]
    for one in StaticPod.allCases {
      pods[one] = try pod(
        one, version: version, container: container, restarts: restarts,
        startedAt: startedAt ?? edit.advanced(by: .seconds(4)))
    }
    return pods
  }

  @Test(
    "Neither the new annotation nor Ready says that the restart is over: another container does")
  func annotationIsEarly() throws {
    let early = restart(mirrors: try all(version: "4", container: "old"), baseline: before)
    #expect(early.state == .waiting && early.detail.contains("kube-apiserver"))
    #expect(restart(mirrors: try all(version: "4", container: "new"), baseline: before).isSettled)
    let counted = try all(version: "4", container: "old", restarts: 1)
    #expect(
      restart(mirrors: counted, baseline: before).isSettled, "a restart counts as another one")
  }

  @Test("Another container of the old secrets is not it either")
  func oldVersion() throws {
    let crashed = try all(version: "3", container: "new")
    #expect(restart(mirrors: crashed, baseline: before).state == .waiting)
    let late = restart(
      mirrors: try all(version: "4", container: "new"), baseline: before, given: "3")
    #expect(late.state == .waiting, "the kubelet was not given the new pod yet")
  }

  @Test("Secrets that have not changed since before the edit are yet to be written")
  func versionStands() throws {
    let same = restart(
      version: "3", mirrors: try all(version: "3", container: "new"), baseline: before)
    #expect(same.state == .waiting)
    let writing = restart(
      mirrors: try all(version: "4", container: "new"), baseline: before, ready: false)
    #expect(writing.state == .waiting)
  }

  @Test(
    "After a boot the same version says nothing, because versions are counted from the beginning")
  func booted() throws {
    var facts = before.facts
    facts["secrets-created"] = "\(edit.nanosecondsSince1970)"
    let counted = Baseline(facts)
    func check(created: Instant?, container: String) throws -> CheckResult {
      restart(
        version: "3", mirrors: try all(version: "3", container: container), baseline: counted,
        created: created)
    }
    let boot = edit.advanced(by: .seconds(60))
    #expect(try check(created: boot, container: "new").isSettled)
    #expect(try check(created: boot, container: "old").state == .waiting, "of the boot before")
    #expect(try check(created: edit, container: "new").state == .waiting, "no boot")
    #expect(try check(created: nil, container: "new").state == .waiting, "nothing is known")
  }

  @Test(
    "A pod that is missing is being restarted; where there are none for long, nothing is to be said"
  )
  func missing() throws {
    var pods = try all(version: "4", container: "new")
    pods[.scheduler] = nil
    let open = restart(mirrors: pods, baseline: before)
    #expect(open.state == .waiting && open.detail.contains("kube-scheduler"))
    // A kubelet takes all mirror pods away and makes them anew when their annotations change.
    #expect(restart(mirrors: [:], baseline: before).state == .waiting)
    #expect(restart(mirrors: [:], baseline: before, isPodless: true).state == .waiting)
    // The look before the change may have fallen into such a moment, too.
    let none = Baseline(["holds": "false", "secrets-version": "3"])
    for baseline in [nil, none] {
      #expect(restart(mirrors: [:], baseline: baseline).state == .waiting)
      #expect(restart(mirrors: [:], baseline: baseline, isPodless: true).state == .notApplicable)
    }
  }

  @Test("A pod that crash-loops with another container has been restarted, though it is not Ready")
  func crashLoop() throws {
    var pods = try all(version: "4", container: "new")
    pods[.scheduler] = try pod(
      .scheduler, version: "4", container: "another", restarts: 2, ready: false)
    #expect(restart(mirrors: pods, baseline: before).isSettled)
  }

  @Test("Where the change was there before, the pods need not be others, but none may be stale")
  func heldAlready() throws {
    let held = Baseline(["holds": "true", "secrets-version": "4", "kube-apiserver": "old#0"])
    let pods = try all(version: "4", container: "old")
    #expect(restart(mirrors: pods, baseline: held).isSettled)
    let stale = try all(
      version: "4", container: "old", startedAt: edit.advanced(by: .seconds(-3_600)))
    #expect(restart(mirrors: stale, baseline: held, updated: edit).state == .waiting)
    // Long after a change a clock that was set must not make a pod look stale for ever.
    #expect(
      restart(mirrors: stale, baseline: held, updated: edit, seen: .seconds(120)).isSettled,
      "nobody waits for ever, whatever the clocks say")
    let longAgo = edit.advanced(by: .seconds(-1_000))
    #expect(restart(mirrors: stale, baseline: held, updated: longAgo).isSettled)
  }
}
