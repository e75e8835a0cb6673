extension Timing {
  /// The pace of a real machine, second by second: after a Kubernetes CA edit the new leaf is served
  /// at 0.4 s, `SecretStatuses` and `StaticPods` follow at 0.5 and 0.7 s, the mirror pod at 4.0 s,
  /// the API server is down from 4.2 to 8.7 s with a new container at 5.4 s, and the scheduler, which
  /// fails meanwhile and sits out a back-off of 10 s, is ready at 20 s.
  public static var real: Timing {
    var timing = Timing()
    timing.apply = .milliseconds(150)
    timing.apidReload = .milliseconds(60)
    timing.proxyOutage = .milliseconds(200)
    timing.trustd = .milliseconds(50)
    timing.trustdRetry = .seconds(1)
    timing.kubernetesSecrets = .milliseconds(380)
    timing.secretStatus = .milliseconds(100)
    timing.staticPods = .milliseconds(200)
    timing.kubeletRestart = .milliseconds(3500)
    timing.nodeReady = .milliseconds(500)
    timing.nodeGrace = .seconds(40)
    timing.kubeletPoll = .seconds(20)
    timing.mirrorPod = .milliseconds(500)
    timing.podEnd = .milliseconds(200)
    timing.containerStart = .milliseconds(1200)
    timing.crashBackOff = .seconds(10)
    timing.crashBackOffLimit = .seconds(300)
    timing.crashReset = .seconds(600)
    timing.apiServerReload = .milliseconds(20)
    timing.apiServerStart = .milliseconds(3300)
    timing.controllerManagerPatience = .seconds(10)
    timing.schedulerPatience = .milliseconds(2500)
    timing.leaderStart = .milliseconds(300)
    timing.leaseDuration = .seconds(15)
    timing.rootCAPublish = .milliseconds(1500)
    timing.extensionRestore = .seconds(1)
    return timing
  }

  /// Everything as fast as it can be.
  public static var instant: Timing {
    var timing = Timing().scaled(by: 0)
    timing.trustdRetry = .milliseconds(20)
    timing.kubeletRestart = .milliseconds(1)
    timing.nodeGrace = .seconds(10)
    timing.kubeletPoll = .milliseconds(1)
    timing.crashBackOff = .milliseconds(10)
    timing.crashBackOffLimit = .milliseconds(10)
    timing.controllerManagerPatience = .seconds(10)
    timing.schedulerPatience = .seconds(10)
    timing.extensionRestore = .milliseconds(300)
    return timing
  }

  /// A pace by its name on the command line.
  public enum Pace: String, Sendable, CaseIterable {
    case real
    case brisk
    case instant

    public var timing: Timing {
      switch self {
      case .real: .real
      case .brisk: .brisk
      case .instant: .instant
      }
    }
  }
}
