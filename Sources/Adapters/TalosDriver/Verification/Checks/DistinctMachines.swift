import Rotation

/// `distinct-machines`: whether the machines of a rotation are as many as they seem.
enum DistinctMachines {
  static func check(_ machines: [Machine]) -> CheckResult {
    let name = CheckName.distinctMachines
    var seen: [String: String] = [:]
    for machine in machines where !machine.identity.isEmpty {
      if let other = seen.updateValue(machine.id, forKey: machine.identity) {
        return CheckResult(
          name, .failed,
          "\(other) and \(machine.id) are one machine (node id \(machine.identity)): one of them was never "
            + "changed, or does not exist")
      }
    }
    return CheckResult(name, .passed, "\(machines.count) distinct machines")
  }
}
