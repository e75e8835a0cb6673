public import RPC

/// What is wrong with a simulated machine. The default is nothing.
public struct Faults: Sendable, Equatable {
  /// How an ApplyConfiguration goes wrong.
  public enum ApplyFault: Sendable, Equatable {
    /// The call fails and nothing has changed.
    case beforeEffect(StatusCode)
    /// The config has taken effect, but the caller sees a failure.
    case afterEffect(StatusCode)
  }

  /// What `State.Watch` does in place of showing what happens.
  public enum WatchFault: String, Sendable, Equatable {
    /// It is UNIMPLEMENTED.
    case refused
    /// The watch stands and shows nothing.
    case silent
    /// It says without end that something has changed.
    case endless
  }

  /// Added to the time every call takes.
  public var latency: Duration = .zero
  /// The next applies go wrong in this way, one each, in order.
  public var applies: [ApplyFault] = []
  /// Added to the machine's clock: negative for a clock that lags.
  public var clockOffset: Duration = .zero
  /// The kubelet, once stopped, does not come back.
  public var kubeletStuck = false
  /// The Kubernetes node is not Ready, whatever the kubelet does.
  public var notReady = false
  /// The Kubernetes node is not Ready because there is no network plugin.
  public var noNetwork = false
  /// trustd on this control plane answers nobody.
  public var trustdDown = false
  /// The Kubernetes API server of this control plane does not run.
  public var apiServerDown = false
  /// The API server of this control plane answers every request with this HTTP status.
  public var apiServerStatus: Int?
  /// Added to the time every answer of the API server of this control plane takes.
  public var apiServerLatency: Duration = .zero
  /// The controller-manager, or the scheduler, of this control plane crash-loops.
  public var controllerManagerDown = false
  public var schedulerDown = false
  /// Added to the time until the kubelet looks at its static pods.
  public var kubeletLookDelay: Duration = .zero
  /// The time server does not answer: the machine's `Time` call fails.
  public var timeServerDown = false
  /// The controller-manager and API server do not take up new secrets.
  public var staticPodsStuck = false
  /// What watches that begin from now on do; nil: as they should.
  public var watches: WatchFault?
  /// apid closes its clients' connections, too, when its certificates change. Real machines keep
  /// them: a client goes on over a connection it opened before.
  public var dropsClientsOnReload = false

  public init() {}
}
