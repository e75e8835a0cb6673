import Rotation

extension ClusterRecord {
  /// The machines are these from now on. An endpoint at which one was known that is none of them any more goes with it: nobody
  /// could say which machine that is.
  mutating func take(machines: [Machine]) {
    // A rotation says so at each of its steps.
    guard machines != self.machines else { return }
    let identities = Set(machines.map(\.identity))
    let names = Set(machines.map(\.id))
    let unidentified = Set(machines.filter(\.identity.isEmpty).map(\.id))
    let gone = self.machines.filter { before in
      before.identity.isEmpty
        ? !names.contains(before.id)
        : !identities.contains(before.identity) && !unidentified.contains(before.id)
    }
    let kept = Set(machines.map(\.address))
    self.machines = machines
    drop(endpoints: Set(gone.filter { !kept.contains($0.address) }.flatMap(\.endpoints)))
  }

  /// Takes endpoints off the record as long as one is left: without any nobody could be given a talosconfig.
  public mutating func drop(endpoints gone: Set<String>) {
    let rest = endpoints.filter { !gone.contains($0) }
    if !rest.isEmpty { endpoints = rest }
  }
}

extension Machine {
  /// How a talosconfig may name its Talos API.
  fileprivate var endpoints: [String] { [address, "\(address):\(port)", "[\(address)]:\(port)"] }
}
