internal import Crypto
internal import Schema

/// A machine that was reset: Talos runs without a configuration and waits for one.
extension SimulatedNode {
  /// Resets the machine into maintenance mode.
  ///
  /// Its apid goes on at the same address with a certificate that nobody knows, asks for no client
  /// certificate, lets everybody read what is not sensitive and takes any configuration (which stays
  /// without effect here; ``received`` holds it). The machine has no member record and no Kubernetes
  /// node that is heard of any more.
  ///
  /// - Throws: `SimulatorError.setup` when no certificate can be made.
  public func reset() async throws(SimulatorError) {
    guard isUp, !isInMaintenance else { return }
    do {
      let ca = try PEMPair(Authority.generate(.talos, now: now()))
      var server = try issuing.machineServer(
        ca, name: "maintenance-service.talos.dev", address: address, sans: [])
      server.certificate += ca.certificate
      try servers.enterMaintenance(server)
    } catch {
      throw .setup("\(name): \(error)")
    }
    isInMaintenance = true
    boots += 1
    state.enteredMaintenance()
    await stopPods(failed: false)
    await hub.connectionsChanged()
    render()
  }

  /// The resources of a machine without a configuration.
  func renderMaintenance() {
    for definition in ResourceCatalog.ofState
    where definition.type != ResourceCatalog.identity.type {
      for old in resources.list(namespace: definition.namespace, type: definition.type) {
        resources.remove(old.key)
      }
    }
    putServices()
    putMachineStatus(.maintenance)
    putMaintenanceCertificates()
  }
}
