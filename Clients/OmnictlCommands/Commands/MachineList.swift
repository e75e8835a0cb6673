internal import Schema

/// `omnictl cluster -n NAME machine list`.
enum MachineList {
  static let command: CommandSpec = .init(
    "list", "List the machines of a cluster", clusterFlag: .required
  ) { session throws(CommandError) in
    let cluster = try await session.getCluster()
    switch session.format {
    case .json:
      let machines = cluster.machines.map { JSONDocument.compact($0) }
      session.print("{\"machines\":[\(machines.joined(separator: ","))]}\n")
    case .table: session.print(table(cluster.machines))
    }
  }

  static func table(_ machines: [Machine]) -> String {
    var table = TextTable("MACHINE", "ROLE", "ADDRESS")
    for machine in machines {
      table.add(machine.name, role(machine.controlPlane), machine.address)
    }
    return table.text
  }

  static func role(_ isControlPlane: Bool) -> String {
    isControlPlane ? "control-plane" : "worker"
  }
}
