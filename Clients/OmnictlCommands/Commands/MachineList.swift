internal import Schema

/// `omnictl cluster -n NAME machine list`.
enum MachineList {
  static let command: CommandSpec = .init(
    "list", "List the machines of a cluster",
    examples: [
      "omnictl cluster -n prod machine list"
    ], clusterFlag: .required
  ) { session throws(CommandError) in
    let cluster = try await session.getCluster()
    switch session.format {
    case .json:
      session.printJSON([("machines", JSONDocument.list(cluster.machines.map(JSONDocument.line)))])
    case .table:
      session.print(table(cluster.machines, columns: session.surroundings.output.columns))
    }
  }

  static func table(_ machines: [Machine], columns: Int? = nil) -> String {
    // The column stands only where there is something in it.
    let isAnyLocked = machines.contains { $0.lock != nil }
    var table =
      isAnyLocked
      ? TextTable("MACHINE", "ROLE", "ADDRESS", "LOCKED") : TextTable("MACHINE", "ROLE", "ADDRESS")
    for machine in machines {
      let columns = [machine.name, role(machine.controlPlane), machine.address]
      table.add(columns + (isAnyLocked ? [machine.lock.map(LockCommands.origin) ?? ""] : []))
    }
    return table.text(columns: columns)
  }

  static func role(_ isControlPlane: Bool) -> String {
    isControlPlane ? "control-plane" : "worker"
  }
}
