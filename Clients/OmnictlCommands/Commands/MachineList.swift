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
    // The column stands only where there is something in it.
    let isAnyLocked = machines.contains { $0.lock != nil }
    var table =
      isAnyLocked
      ? TextTable("MACHINE", "ROLE", "ADDRESS", "LOCKED") : TextTable("MACHINE", "ROLE", "ADDRESS")
    for machine in machines {
      let columns = [machine.name, role(machine.controlPlane), machine.address]
      table.add(columns + (isAnyLocked ? [machine.lock.map(LockCommands.origin) ?? ""] : []))
    }
    return table.text
  }

  static func role(_ isControlPlane: Bool) -> String {
    isControlPlane ? "control-plane" : "worker"
  }
}
