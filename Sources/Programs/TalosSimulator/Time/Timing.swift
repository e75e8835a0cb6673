/// How long a machine takes for what it does.
///
/// ``Timing/real`` holds what was measured on Talos 1.13.9 with Kubernetes 1.36.3 on a quiet
/// machine, ``Timing/brisk`` a machine that does the same in the same order within half a second,
/// and ``Timing/instant`` is for tests that do not look at the time between.
public struct Timing: Sendable, Equatable {
  // MARK: Talos

  /// How long ApplyConfiguration itself takes.
  public var apply: Duration = .milliseconds(20)
  /// From the answer to ApplyConfiguration until apid serves the new certificates.
  public var apidReload: Duration = .milliseconds(60)
  /// How long calls through a proxying control plane fail after apid's certificates changed, on the
  /// machine that proxies and on the one that is proxied to.
  public var proxyOutage: Duration = .milliseconds(120)
  /// How long trustd takes to sign a worker's request.
  public var trustd: Duration = .milliseconds(30)
  /// How long a worker waits before it asks trustd again after a failure.
  public var trustdRetry: Duration = .milliseconds(250)
  /// How often certificates that are still good are issued anew (Talos: 12 hours).
  public var certificateRefresh: Duration = .seconds(12 * 3600)
  /// From a change of the Kubernetes secrets until their files are written.
  public var kubernetesSecrets: Duration = .milliseconds(20)
  /// From the files until `SecretStatuses` has the new version.
  public var secretStatus: Duration = .milliseconds(10)
  /// From `SecretStatuses` until `StaticPods` carry the new version.
  public var staticPods: Duration = .milliseconds(10)

  // MARK: kubelet

  /// From stopping the kubelet until it runs again.
  public var kubeletRestart: Duration = .milliseconds(300)
  /// From a healthy kubelet until the Kubernetes node is Ready again.
  public var nodeReady: Duration = .milliseconds(150)
  /// How long a node stays Ready although no API server hears of its kubelet.
  public var nodeGrace: Duration = .seconds(10)
  /// How often a kubelet that runs looks for other static pods. It also looks when it starts.
  public var kubeletPoll: Duration = .seconds(1)
  /// From the kubelet's look until the mirror pod carries the new annotation, with the status of the
  /// containers that are about to end.
  public var mirrorPod: Duration = .milliseconds(20)
  /// From the mirror pod until the containers have ended.
  public var podEnd: Duration = .milliseconds(30)
  /// From the end of a container until the next one runs.
  public var containerStart: Duration = .milliseconds(40)
  /// How long a container that fails again waits before it is started again: doubled with each
  /// failure, up to the limit, and forgotten when it has run for the time of the reset.
  public var crashBackOff: Duration = .milliseconds(150)
  public var crashBackOffLimit: Duration = .milliseconds(600)
  public var crashReset: Duration = .seconds(3)

  // MARK: Kubernetes

  /// From new files until the running API server serves and accepts by them.
  public var apiServerReload: Duration = .milliseconds(5)
  /// From a new container until the API server in it is ready; nothing answers before.
  public var apiServerStart: Duration = .milliseconds(80)
  /// How long a controller-manager waits for its own API server before it fails.
  public var controllerManagerPatience: Duration = .milliseconds(500)
  /// How long a scheduler does.
  public var schedulerPatience: Duration = .milliseconds(60)
  /// From an API server that answers until controller-manager and scheduler are ready.
  public var leaderStart: Duration = .milliseconds(10)
  /// How long the lease of a leader that is away goes on.
  public var leaseDuration: Duration = .milliseconds(100)
  /// From taking the lead until a controller-manager has published its root CA everywhere.
  public var rootCAPublish: Duration = .milliseconds(50)
  /// From the deletion of the ConfigMap of client CAs until an API server has written it anew.
  public var extensionRestore: Duration = .milliseconds(300)

  /// The brisk pace.
  public init() {}

  /// A machine that does in half a second what takes a real one ten.
  public static var brisk: Timing { Timing() }

  /// Every duration, but for the refresh of certificates, times the factor.
  public func scaled(by factor: Double) -> Timing {
    var timing = self
    for duration in Self.scalable { timing[keyPath: duration] = self[keyPath: duration] * factor }
    return timing
  }

  private static var scalable: [WritableKeyPath<Timing, Duration>] {
    [
      \.apply, \.apidReload, \.proxyOutage, \.trustd, \.trustdRetry, \.kubernetesSecrets,
      \.secretStatus, \.staticPods, \.kubeletRestart, \.nodeReady, \.nodeGrace, \.kubeletPoll,
      \.mirrorPod, \.podEnd, \.containerStart, \.crashBackOff, \.crashBackOffLimit, \.crashReset,
      \.apiServerReload, \.apiServerStart, \.controllerManagerPatience, \.schedulerPatience,
      \.leaderStart, \.leaseDuration, \.rootCAPublish, \.extensionRestore,
    ]
  }
}
