import Rotation

extension ClusterRecord {
  /// The machines are these from now on. An endpoint at which one was known that is none of them any more goes with it: nobody
  /// could say which machine that is.
  mutating func take(machines: [Machine]) {
    let gone = self.machines.filter { before in
      !machines.contains {
        before.identity.isEmpty || $0.identity.isEmpty
          ? $0.id == before.id : $0.identity == before.identity
      }
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
