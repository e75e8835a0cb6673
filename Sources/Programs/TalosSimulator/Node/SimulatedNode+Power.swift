/// Switching a machine off and on.
extension SimulatedNode {
  /// The cable is pulled: nothing answers any more, and nothing goes on.
  public func powerOff() async {
    guard isUp else { return }
    isUp = false
    boots += 1
    await servers.stopAPID()
    await stopPods(failed: false)
    await hub.connectionsChanged()
  }

  /// The machine boots with the config that is on its disk: what was tried is forgotten, what was
  /// staged takes effect.
  ///
  /// - Throws: when its address or port is taken.
  public func powerOn() async throws {
    guard !isUp else { return }
    isUp = true
    state.rebooted()
    forgetResources()
    if isControlPlane {
      try await bootControlPlane(atOnce: false)
    } else {
      while isUp {
        if (try? await bootWorker()) != nil { break }
        try await Task.sleep(for: options.timing.trustdRetry)
      }
    }
    guard isUp else { return }
    try await servers.startAPID(for: self)
    if !options.withoutKubernetes { start(.kubelet) }
  }

  /// The first boot of all, when every machine starts at once.
  func powerOnFirstTime() async throws {
    isUp = true
    if isControlPlane { try await bootControlPlane(atOnce: true) } else { try await bootWorker() }
    try await servers.startAPID(for: self)
  }

  func learnMembers(_ list: [ClusterMember]) {
    members = list
    render()
  }
}
