import Crypto
import RPC
import Synchronization
import Testing

@testable import TalosSimulator

/// Asks all API servers again and again whether they are ready, each over a connection of its own.
private final class APIServerProbe: Sendable {
  struct Seen: Sendable {
    var down: Set<String> = []
    var everDown: Set<String> = []
    var mostAtOnce = 0
  }

  private let seen = Mutex(Seen())

  /// Probes until the body is through; answers with what was seen.
  static func watch(
    _ test: TestCluster, trusting roots: [PEMPair], _ body: () async throws -> Void
  ) async throws -> Seen {
    let probe = APIServerProbe()
    let tasks = test.controlPlanes.map { node in
      Task {
        while !Task.isCancelled {
          let answer = try? await test.kubernetes(node, "/readyz", trusting: roots)
          if Task.isCancelled { return }
          probe.note(node.name, isUp: answer?.status == 200)
          try? await Task.sleep(for: .milliseconds(20))
        }
      }
    }
    defer { for task in tasks { task.cancel() } }
    try await body()
    return probe.seen.withLock { $0 }
  }

  private func note(_ name: String, isUp: Bool) {
    seen.withLock { seen in
      if isUp {
        seen.down.remove(name)
      } else {
        seen.down.insert(name)
        seen.everDown.insert(name)
      }
      seen.mostAtOnce = max(seen.mostAtOnce, seen.down.count)
    }
  }
}

extension ClusterSuite {
  @Suite("A control plane after a Kubernetes CA edit, at the pace of a real one")
  struct PaceTests {
    private func pod(
      _ component: StaticPod.Component, of node: SimulatedNode
    ) async throws -> StaticPod {
      try #require(await node.reportedPods.first { $0.component == component })
    }

    private func edit(
      _ node: SimulatedNode, _ test: TestCluster, _ new: PEMPair
    ) async throws {
      _ = try await test.apply(
        await test.config(for: node, kubernetes: (new, [test.kubernetesCA])), to: node)
    }

    private func servesNew(_ node: SimulatedNode, _ test: TestCluster, _ new: PEMPair) async -> Bool
    {
      let answer = try? await test.kubernetes(node, "/readyz", trusting: [new])
      return answer?.status == 200
    }

    @Test("The leaf, Ready and the annotation are there before the restart, in this order")
    func premature() async throws {
      var timing = Timing.real.scaled(by: 0.1)
      timing.podEnd = .milliseconds(500)
      timing.apiServerStart = .milliseconds(600)
      try await TestCluster.run(controlPlanes: 1, workers: 0, timing: timing) { test in
        let node = test.controlPlanes[0]
        let new = try PEMPair(Authority.generate(.kubernetes, now: WallClock.seconds()))
        let newAdmin = try test.kubernetesAdmin(new)
        let before = try await pod(.apiServer, of: node)
        #expect(before.isReady)
        try await edit(node, test, new)

        try await eventually("the new leaf is served") { await servesNew(node, test, new) }
        let accepted = try await test.kubernetes(
          node, "/api/v1/nodes", as: newAdmin, trusting: [new])
        #expect(accepted.status == 200)
        #expect(try await pod(.apiServer, of: node) == before)

        try await eventually("the static pods name the new secrets") {
          await node.state.staticPodVersion == before.secretsVersion + 1
        }
        #expect(try await pod(.apiServer, of: node) == before)

        try await eventually("the mirror pod does, too") {
          try await pod(.apiServer, of: node).secretsVersion == before.secretsVersion + 1
        }
        let mirrored = try await pod(.apiServer, of: node)
        #expect(mirrored.isReady)
        #expect(mirrored.containerID == before.containerID)
        #expect(mirrored.restartCount == before.restartCount)
        #expect(mirrored.phase == before.phase)
        #expect(await servesNew(node, test, new))

        try await eventually("the API server is down") {
          await servesNew(node, test, new) == false
        }
        try await eventually("another container runs") {
          try await pod(.apiServer, of: node).restartCount == before.restartCount + 1
        }
        let restarted = try await pod(.apiServer, of: node)
        #expect(restarted.containerID != before.containerID)
        #expect(!restarted.isReady)
        #expect(restarted.lastTermination?.containerID == before.containerID)

        try await eventually("the scheduler has failed and backs off") {
          if case .backingOff = try await pod(.scheduler, of: node).phase { true } else { false }
        }
        try await eventually("the API server is ready") {
          try await pod(.apiServer, of: node).isReady
        }
        #expect(await servesNew(node, test, new))
        #expect(try await !pod(.scheduler, of: node).isReady)
        try await eventually("the scheduler is ready") {
          try await pod(.scheduler, of: node).isReady
        }
        #expect(try await pod(.scheduler, of: node).restartCount == 2)
        #expect(try await pod(.controllerManager, of: node).restartCount == 1)
      }
    }

    @Test("A kubelet that was not restarted sees new static pods when it polls, or later")
    func poll() async throws {
      var timing = Timing.instant
      timing.kubeletPoll = .milliseconds(400)
      try await TestCluster.run(controlPlanes: 1, workers: 0, timing: timing) { test in
        let node = test.controlPlanes[0]
        await node.setFaults { $0.kubeletLookDelay = .milliseconds(600) }
        let before = try await pod(.apiServer, of: node)
        await node.refreshCertificates()
        try await eventually("the static pods name the new secrets") {
          await node.state.staticPodVersion == before.secretsVersion + 1
        }
        #expect(try await pod(.apiServer, of: node) == before)
        #expect(await test.cluster.settle())
        let after = try await pod(.apiServer, of: node)
        #expect(after.secretsVersion == before.secretsVersion + 1)
        #expect(after.containerID != before.containerID)
      }
    }

    @Test("One control plane after the other has been restarted: never two API servers down")
    func serialised() async throws {
      try await TestCluster.run(
        controlPlanes: 3, workers: 0, timing: .real.scaled(by: 0.05)
      ) { test in
        let new = try PEMPair(Authority.generate(.kubernetes, now: WallClock.seconds()))
        let seen = try await APIServerProbe.watch(test, trusting: [test.kubernetesCA, new]) {
          for node in test.controlPlanes {
            let before = try await pod(.apiServer, of: node)
            try await edit(node, test, new)
            try await eventually("\(node.name) runs another container that is ready") {
              let now = try await pod(.apiServer, of: node)
              let served = await servesNew(node, test, new)
              return now.isReady && now.containerID != before.containerID && served
            }
          }
        }
        #expect(seen.everDown == Set(test.controlPlanes.map(\.name)))
        #expect(seen.mostAtOnce == 1)
      }
    }

    @Test("Whoever takes the new leaf and Ready for the end has two API servers down at once")
    func hasty() async throws {
      try await TestCluster.run(
        controlPlanes: 2, workers: 0, timing: .real.scaled(by: 0.3)
      ) { test in
        let new = try PEMPair(Authority.generate(.kubernetes, now: WallClock.seconds()))
        let seen = try await APIServerProbe.watch(test, trusting: [test.kubernetesCA, new]) {
          for node in test.controlPlanes {
            try await edit(node, test, new)
            try await eventually("the new leaf is served") { await servesNew(node, test, new) }
          }
          try await eventually("both run another container") {
            for node in test.controlPlanes {
              let now = try await pod(.apiServer, of: node)
              if now.restartCount == 0 || !now.isReady { return false }
            }
            return true
          }
        }
        #expect(seen.mostAtOnce == 2)
      }
    }
  }
}
