import Rotation
import Testing

@testable import Orchestrator

/// What stays on record of a cluster until it is dealt with.
@Suite("Marks and causes in simulated time", .serialized)
struct ClusterMarkTests {
  private func rotate(
    _ process: Process, _ component: SecretComponent, _ cause: RotationCause?,
    options: RotationOptions = RotationOptions()
  ) throws {
    _ = try process.world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: component, options: options, cause: cause)
    }
    #expect(try process.runToEnd()?.state == .succeeded)
  }

  private func cluster(_ process: Process) throws -> ClusterRecord {
    try process.world.perform { try await process.orchestrator.cluster("demo") }
  }

  private func marks(_ process: Process) throws -> [String] {
    try cluster(process).marks.map { mark in
      ([mark.kind.rawValue]
        + SecretComponent.allCases.filter(mark.pending.contains).map(\.rawValue))
        .joined(separator: " ")
    }
  }

  private func refusal(_ process: Process, clearing mark: String) -> OrchestratorError.Code? {
    do {
      _ = try process.world.perform {
        try await process.orchestrator.clearMark(mark, of: "demo")
      }
      return nil
    } catch { return (error as? OrchestratorError)?.code }
  }

  @Test("An imported cluster is tainted until both authorities have been rotated")
  func importing() throws {
    let world = World(seed: 1)
    var process = try world.bootWithClusters()
    #expect(try marks(process) == ["tainted-by-importing talos-ca kubernetes-ca"])
    #expect(refusal(process, clearing: "tainted-by-importing") == .markPending)
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process) == ["tainted-by-importing talos-ca"])
    try process.kill()
    process = try world.boot()
    #expect(try marks(process) == ["tainted-by-importing talos-ca"], "it is on record")
    try rotate(process, .kubernetesCA, .routine)
    #expect(try marks(process) == ["tainted-by-importing talos-ca"])
    try rotate(process, .talosCA, .imported)
    #expect(try marks(process).isEmpty)
    try process.stop()
  }

  @Test(
    "A credential for emergencies marks the cluster until both authorities were rotated after it")
  func breakGlass() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    func handOut() throws {
      _ = try world.perform {
        try await process.orchestrator.talosconfig(
          cluster: "demo", requester: "ops", breakGlass: true)
      }
    }
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process).isEmpty)
    try handOut()
    #expect(try marks(process) == ["tainted-by-break-glass talos-ca kubernetes-ca"])
    #expect(refusal(process, clearing: "tainted-by-break-glass") == .markPending)
    // One that is handed out in a rotation is not dealt with by that rotation, and the mark begins anew.
    _ = try process.rotate(.talosCA)
    try process.pass(.seconds(1))
    try handOut()
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(try marks(process) == ["tainted-by-break-glass talos-ca kubernetes-ca"])
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process).isEmpty)
    // What cannot be handed out marks nothing.
    let before = try cluster(process).revision
    #expect(throws: OrchestratorError.self) {
      _ = try world.perform {
        try await process.orchestrator.talosconfig(
          cluster: "demo", requester: "ops", ttl: .seconds(1), breakGlass: true)
      }
    }
    #expect(try cluster(process).revision == before)
    try process.stop()
  }

  @Test("A leak marks the cluster until all is rotated that it needs, from then on")
  func leaks() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, .leakedKubeconfig)
    #expect(try marks(process).isEmpty)
    try rotate(process, .talosCA, .leakedTalosconfig)
    #expect(
      try marks(process) == ["leaked-talosconfig kubernetes-ca"],
      "what was rotated before the leak counts for nothing")
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process).isEmpty)
    try process.stop()
  }

  /// Ends the soak of the rotation that runs: the mark of the leak is there after its end.
  private func expectOutlived(_ process: Process) throws {
    try process.pass(.seconds(1000))
    _ = try process.world.perform {
      try await process.orchestrator.goOn(cluster: "demo", requester: "uid:0")
    }
    #expect(try process.runToEnd()?.state == .succeeded)
    #expect(try marks(process) == ["leaked-kubeconfig kubernetes-ca"])
  }

  @Test("A leak that comes to light while a rotation runs outlives that rotation")
  func late() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, nil)
    _ = try process.rotate(.kubernetesCA, options: RotationOptions(soak: .untilContinued))
    func attach(_ cause: RotationCause?) throws -> RotationTicket {
      try process.world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .kubernetesCA, cause: cause)
      }
    }
    #expect(try attach(nil).notes == [] && marks(process) == [])
    let ticket = try attach(.leakedKubeconfig)
    #expect(ticket.attached && ticket.notes.count == 1)
    #expect(try marks(process) == ["leaked-kubeconfig kubernetes-ca"])
    let since = try cluster(process).marks.map(\.since)
    try process.pass(.seconds(100))
    #expect(try attach(.leakedKubeconfig).notes == ticket.notes, "whoever asks next is told too")
    #expect(try cluster(process).marks.map(\.since) == since)
    try expectOutlived(process)
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process).isEmpty)
    try process.stop()
  }

  @Test(
    "Another leak of the same kind outlives the rotation too; the same words again are the same leak"
  )
  func another() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, nil)
    func ask(_ reason: String) throws -> RotationTicket {
      try process.world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .kubernetesCA,
          options: RotationOptions(soak: .untilContinued),
          reason: reason, cause: .leakedKubeconfig)
      }
    }
    #expect(try ask("bob").notes == [])
    try process.pass(.seconds(100))
    #expect(try ask("bob").notes == [] && ask("").notes == [])
    let began = try cluster(process).marks.map(\.since)
    #expect(try ask("carol").notes.count == 1)
    #expect(try cluster(process).marks.map(\.since) != began)
    try expectOutlived(process)
    try process.stop()
  }

  @Test(
    "A leak that comes to light in mid-rotation outlives it, although the clock was set back meanwhile"
  )
  func lateByAnotherClock() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    try rotate(process, .talosCA, nil)
    try rotate(process, .kubernetesCA, nil)
    _ = try process.rotate(.kubernetesCA, options: RotationOptions(soak: .untilContinued))
    world.skew.set(.seconds(-3600))
    _ = try process.world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: .kubernetesCA, cause: .leakedKubeconfig)
    }
    try expectOutlived(process)
    try process.stop()
  }

  @Test("What is decided at a rotation's start is said not to count for whoever attaches")
  func unheeded() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    let options = RotationOptions(workerLimit: 2, soak: .lasting(.seconds(60)))
    _ = try process.rotate(.kubernetesCA, options: options)
    #expect(try process.rotate(.kubernetesCA, options: options).notes == [])
    let other = RotationOptions(
      allowUnready: true, workerLimit: 1, soak: .untilContinued, tryTimeout: .seconds(300))
    let notes = try process.rotate(.kubernetesCA, options: other).notes
    #expect(notes.count == 1)
    for word in ["--soak", "--try", "--max-parallel-workers", "--allow-unready"] {
      #expect(notes.first?.contains(word) == true, "\(word)")
    }
    try process.stop()
  }

  @Test("What no rotation deals with stays until a person says that it was dealt with")
  func secrets() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    try rotate(process, .kubernetesCA, .leakedSecrets)
    #expect(refusal(process, clearing: "leaked-secrets") == .markPending)
    try rotate(process, .talosCA, .leakedSecrets)
    // The same leak, said again for the authority that was pending.
    #expect(try marks(process) == ["leaked-secrets"])
    // Said again for one that was not: another leak.
    try rotate(process, .talosCA, .leakedSecrets)
    #expect(try marks(process) == ["leaked-secrets kubernetes-ca"])
    try rotate(process, .kubernetesCA, nil)
    #expect(try marks(process) == ["leaked-secrets"])
    let text = try #require(try cluster(process).marks.first).explanation(cluster: "demo")
    #expect(text.contains("service-account key") && text.contains("mark clear leaked-secrets"))
    #expect(refusal(process, clearing: "no-such") == .invalidArgument)
    #expect(refusal(process, clearing: "leaked-secrets") == nil)
    #expect(refusal(process, clearing: "leaked-secrets") == nil, "nothing is left to do")
    #expect(try marks(process).isEmpty)
    try process.stop()
  }

  @Test("A rotation that goes back, or was begun before a leak, deals with nothing")
  func early() {
    var marks: [ClusterMark] = []
    let now = Instant(secondsSince1970: 100)
    marks.add(.leakedKubeconfig, at: now, of: [.talosCA, .kubernetesCA])
    marks.rotated(.kubernetesCA, begunAt: Instant(secondsSince1970: 99))
    #expect(marks.map(\.pending) == [[.kubernetesCA]])
    marks.rotated(.talosCA, begunAt: Instant(secondsSince1970: 101))
    #expect(marks.map(\.pending) == [[.kubernetesCA]])
    marks.rotated(.kubernetesCA, begunAt: now)
    #expect(marks.isEmpty)
    marks.add(.leakedTalosconfig, at: now, of: [.talosCA])
    #expect(marks.map(\.pending) == [[.talosCA]], "a cluster without Kubernetes has the one")
  }

  @Test("A component that does nothing about the cause is refused with the one that does")
  func wrongComponent() throws {
    let world = World(seed: 4)
    let process = try world.bootWithClusters()
    do {
      _ = try process.world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .talosCA, cause: .leakedKubeconfig)
      }
      Issue.record("it was begun")
    } catch let error as OrchestratorError {
      #expect(error.code == .invalidArgument)
      #expect(error.message.contains("dealt with by rotating kubernetes-ca, not talos-ca"))
    }
    let plan = try process.world.perform {
      try await process.orchestrator.rotate(
        cluster: "demo", component: .talosCA, dryRun: true, cause: .leakedTalosconfig)
    }
    #expect(plan.notes.last?.contains("only when the kubernetes-ca has been rotated too") == true)
    #expect(
      try marks(process) == ["tainted-by-importing talos-ca kubernetes-ca"],
      "a dry run marks nothing")
    try process.stop()
  }

  @Test(
    "As many workers are in work at once as was asked for, through a restart", arguments: [1, 2])
  func workerLimit(limit: Int) throws {
    let world = World(seed: 6)
    let process = try world.bootWithClusters()
    let recording = try process.record()
    try rotate(process, .talosCA, nil, options: RotationOptions(workerLimit: limit))
    try process.pass(.seconds(1))
    let busiest = recording.snapshots.map { snapshot in
      snapshot.machines.count {
        $0.role == .worker
          && ($0.state == .applying || $0.state == .verifying || $0.state == .waiting)
      }
    }.max()
    #expect(busiest == limit)
    #expect(throws: OrchestratorError.self) {
      try process.world.perform {
        try await process.orchestrator.rotate(
          cluster: "demo", component: .talosCA, options: RotationOptions(workerLimit: 0))
      }
    }
    try process.stop()
  }
}
