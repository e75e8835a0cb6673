internal import Schema

/// `omnictl cluster lock|unlock NAME` and `omnictl cluster -n NAME machine lock|unlock MACHINE`.
enum LockCommands {
  private static let reason = Flag<String?>.text(
    "reason", "TEXT", "why, for whoever finds it locked")

  static let machine = ArgumentSpec("MACHINE", "the name of the machine", completion: .machines)

  static let lockCluster: CommandSpec = .init(
    "lock", "Keep a cluster from being changed until it is unlocked",
    examples: [
      "omnictl cluster lock prod --reason 'freeze until Monday'"
    ],
    discussion: """
      A rotation that runs finishes and verifies the machines in work, begins no other, and is PAUSED
      then. None can be started. The lock outlives restarts of omnid.
      """,
    arguments: [ClusterGroup.nameArgument], flags: [reason.spec], clusterFlag: .substitute
  ) { session throws(CommandError) in
    var request = LockClusterRequest()
    request.cluster = session.cluster
    request.reason = session.invocation[reason] ?? ""
    let answer = try await session.call(ManagementServiceMethods.lockCluster, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table: session.print(text("cluster \(session.cluster)", answer.cluster?.lock))
    }
  }

  static let unlockCluster: CommandSpec = .init(
    "unlock", "End the lock of a cluster; a paused rotation goes on",
    examples: [
      "omnictl cluster unlock prod"
    ],
    discussion: "The locks of single machines stay: 'cluster -n NAME machine unlock' ends these.",
    arguments: [ClusterGroup.nameArgument], clusterFlag: .substitute
  ) { session throws(CommandError) in
    var request = UnlockClusterRequest()
    request.cluster = session.cluster
    let answer = try await session.call(ManagementServiceMethods.unlockCluster, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table: session.print(text("cluster \(session.cluster)", nil))
    }
  }

  static let lockMachine: CommandSpec = .init(
    "lock", "Keep a machine from being changed until it is unlocked",
    examples: [
      "omnictl cluster -n prod machine lock worker-7 --reason 'disk is being replaced'"
    ],
    discussion: """
      A rotation that runs goes on with the other machines, as far as the order allows: no worker is
      changed before the last control plane. None can be started.
      """,
    arguments: [machine], flags: [reason.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = LockMachineRequest()
    request.cluster = session.cluster
    request.machine = session.invocation[machine]
    request.reason = session.invocation[reason] ?? ""
    let answer = try await session.call(ManagementServiceMethods.lockMachine, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      let lock = answer.cluster?.machines.first { $0.name == request.machine }?.lock
      session.print(text("machine \(request.machine)", lock))
    }
  }

  static let unlockMachine: CommandSpec = .init(
    "unlock", "End the lock of a machine; a paused rotation goes on",
    examples: [
      "omnictl cluster -n prod machine unlock worker-7"
    ],
    arguments: [machine], clusterFlag: .required
  ) { session throws(CommandError) in
    var request = UnlockMachineRequest()
    request.cluster = session.cluster
    request.machine = session.invocation[machine]
    let answer = try await session.call(ManagementServiceMethods.unlockMachine, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table: session.print(text("machine \(request.machine)", nil))
    }
  }

  private static func text(_ what: String, _ lock: Lock?) -> String {
    guard let lock else { return Printable.line("\(what) is not locked") + "\n" }
    return Printable.line("\(what) is locked \(origin(lock))") + "\n"
  }

  /// `by uid:0 since …: reason`.
  static func origin(_ lock: Lock) -> String {
    "by \(lock.lockedBy) since \(Moment.text(lock.lockedAt))"
      + (lock.reason.isEmpty ? "" : ": \(lock.reason)")
  }
}
