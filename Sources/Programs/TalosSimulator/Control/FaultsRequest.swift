internal import RPC

/// The body of a request that sets faults; what is left out is not wrong.
struct FaultsRequest: Decodable {
  var latencyMilliseconds: Int?
  var clockOffsetSeconds: Int?
  var kubeletLookDelaySeconds: Int?
  /// `before` or `after`, one for each apply to come.
  var applies: [String]?
  var kubeletStuck: Bool?
  var notReady: Bool?
  var trustdDown: Bool?
  var apiServerDown: Bool?
  var apiServerStatus: Int?
  var apiServerLatencyMilliseconds: Int?
  var staticPodsStuck: Bool?
  var noNetwork: Bool?
  var timeServerDown: Bool?
  var schedulerDown: Bool?
  var controllerManagerDown: Bool?
  var dropsClientsOnReload: Bool?
  /// `refused`, `silent` or `endless`.
  var watches: String?

  var faults: Faults? {
    var faults = Faults()
    faults.latency = .milliseconds(latencyMilliseconds ?? 0)
    faults.clockOffset = .seconds(clockOffsetSeconds ?? 0)
    faults.kubeletLookDelay = .seconds(kubeletLookDelaySeconds ?? 0)
    faults.kubeletStuck = kubeletStuck ?? false
    faults.notReady = notReady ?? false
    faults.trustdDown = trustdDown ?? false
    faults.apiServerDown = apiServerDown ?? false
    faults.apiServerStatus = apiServerStatus.map { min(max($0, 200), 599) }
    faults.apiServerLatency = .milliseconds(apiServerLatencyMilliseconds ?? 0)
    faults.controllerManagerDown = controllerManagerDown ?? false
    faults.schedulerDown = schedulerDown ?? false
    faults.timeServerDown = timeServerDown ?? false
    faults.noNetwork = noNetwork ?? false
    faults.staticPodsStuck = staticPodsStuck ?? false
    faults.dropsClientsOnReload = dropsClientsOnReload ?? false
    if let watches {
      guard let fault = Faults.WatchFault(rawValue: watches) else { return nil }
      faults.watches = fault
    }
    for kind in applies ?? [] {
      switch kind {
      case "before": faults.applies.append(.beforeEffect(.unavailable))
      case "after": faults.applies.append(.afterEffect(.unavailable))
      default: return nil
      }
    }
    return faults
  }
}
