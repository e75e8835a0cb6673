/// A static pod of the Kubernetes control plane, as its mirror pod shows it.
///
/// A pure value. The pod and its container change at different times: the mirror pod carries the
/// version of new secrets while it still shows the container that was started with the old ones.
struct StaticPod: Sendable, Equatable {
  enum Component: String, Sendable, CaseIterable {
    case apiServer = "kube-apiserver"
    case controllerManager = "kube-controller-manager"
    case scheduler = "kube-scheduler"

    /// As a component of which one process leads; nil for the API server.
    var led: KubernetesState.Led? {
      switch self {
      case .apiServer: nil
      case .controllerManager: .controllerManager
      case .scheduler: .scheduler
      }
    }
  }

  /// What the container does.
  enum Phase: Sendable, Equatable {
    case running(since: Int64)
    /// It has ended, and the next one has not been started yet.
    case ended
    /// It has failed, and waits for the next try.
    case backingOff(Duration)
  }

  /// How a container ended.
  struct Termination: Sendable, Equatable {
    var containerID: String
    var exitCode: Int
    var reason: String
    var started: Int64
    var finished: Int64
  }

  let component: Component
  /// The annotation `talos.dev/secrets-version`.
  private(set) var secretsVersion: Int
  private(set) var containerID: String
  private(set) var restartCount = 0
  private(set) var phase = Phase.ended
  private(set) var isReady = false
  private(set) var lastTermination: Termination?
  /// The next back-off's step; starts over when a container has run for long.
  private(set) var failures = 0

  init(_ component: Component, secretsVersion: Int) {
    self.component = component
    self.secretsVersion = secretsVersion
    containerID = ""
  }

  /// The kubelet has written the mirror pod anew. The container is the one from before.
  mutating func mirrored(secretsVersion version: Int) { secretsVersion = version }

  /// A container has been started. The first one is no restart.
  mutating func started(containerID id: String, now: Int64) {
    if !containerID.isEmpty { restartCount += 1 }
    containerID = id
    phase = .running(since: now)
    isReady = false
  }

  mutating func becameReady() { isReady = true }

  /// The container has ended.
  ///
  /// - Parameters:
  ///   - failed: by itself, with an error, and not because the kubelet ended it.
  ///   - ranFor: how long it ran, by a clock that does not jump.
  mutating func ended(failed: Bool, now: Int64, ranFor: Duration, timing: Timing) {
    guard case .running(let since) = phase else { return }
    lastTermination = Termination(
      containerID: containerID, exitCode: failed ? 1 : 0, reason: failed ? "Error" : "Completed",
      started: since, finished: now)
    isReady = false
    if ranFor >= timing.crashReset { failures = 0 }
    guard failed else {
      phase = .ended
      return
    }
    var wait = timing.crashBackOff
    for _ in 0..<min(failures, 16) where wait < timing.crashBackOffLimit { wait = wait * 2 }
    failures += 1
    phase = .backingOff(min(wait, timing.crashBackOffLimit))
  }
}
