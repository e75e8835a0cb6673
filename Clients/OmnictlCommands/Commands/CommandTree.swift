/// All commands.
enum CommandTree {
  static let root: CommandSpec = .init(
    "omnictl", "Rotate the root CAs of Talos Linux clusters, through omnid",
    examples: [
      "omnictl cluster import prod --talosconfig ~/.talos/config",
      "omnictl cluster -n prod secret rotate talos-ca --dry-run",
      "omnictl cluster -n prod secret rotate kubernetes-ca --reason leaked-kubeconfig",
      "omnictl check",
    ],
    discussion: """
      Durations are written as in Go: 90s, 5m, 1h30m.

      Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (a precondition does not hold),
      4 the wait timed out (the rotation goes on), 5 not found, 6 no access, 7 the server cannot
      be reached. Errors go to standard error; with -o json each is one line of JSON there:

        {"error":{"code":…,"exitCode":…,"message":…,"hint":…,
          "findings":[{"type":…,"subject":…,"description":…}]}}
      """,
    flags: GlobalFlags.all,
    subcommands: [
      ClusterGroup.command, FleetCheck.command, CredentialGroup.command, AuditCommand.command,
      AccessCommands.group, DashboardCommand.command,
      ContextCommands.group, ReportGroup.command, CompletionCommand.command, VersionCommand.command,
    ])
}

/// `omnictl cluster`.
enum ClusterGroup {
  static let word = "cluster"

  static let name = Flag<String?>.text(
    "name", short: "n", "NAME", completion: .clusters, "the cluster")

  /// For commands that take the cluster's name as an argument.
  static let nameArgument = ArgumentSpec(
    "NAME", "the name of the cluster", completion: .clusters)

  static let command: CommandSpec = .init(
    word, "Clusters and what is done to them",
    examples: [
      "omnictl cluster list",
      "omnictl cluster -n prod machine list",
    ], flags: [name.spec],
    subcommands: [
      ClusterImport.command, RotationAdopt.clusterCommand, ClusterList.command, ClusterGet.command,
      ClusterForget.command,
      LockCommands.lockCluster, LockCommands.unlockCluster,
      machine, mark, secret, secrets, TalosconfigCommand.command, KubeconfigCommand.command,
      TrustBundleCommand.command,
    ])

  private static let machine = CommandSpec(
    "machine", "The machines of a cluster",
    examples: [
      "omnictl cluster -n prod machine list"
    ], clusterFlag: .required,
    subcommands: [MachineList.command, LockCommands.lockMachine, LockCommands.unlockMachine])

  private static let mark = CommandSpec(
    "mark", "What stays on record of a cluster until it is dealt with",
    examples: [
      "omnictl cluster -n prod mark clear leaked-secrets"
    ], clusterFlag: .required,
    subcommands: [MarkClear.command])

  private static let secrets = CommandSpec(
    "secrets", "The secrets of a cluster, for other tools",
    examples: [
      "omnictl cluster -n prod secrets export --output-file secrets.yaml"
    ], clusterFlag: .required,
    subcommands: [SecretsExport.command])

  private static let secret = CommandSpec(
    "secret", "Rotate the CAs of a cluster",
    examples: [
      "omnictl cluster -n prod secret rotate talos-ca"
    ], clusterFlag: .required,
    subcommands: [
      CommandSpec(
        "rotate", "Rotate a CA, and see how rotations go",
        examples: [
          "omnictl cluster -n prod secret rotate talos-ca --dry-run",
          "omnictl cluster -n prod secret rotate status",
        ], clusterFlag: .required,
        subcommands: [
          SecretRotate.talosCA, SecretRotate.kubernetesCA, RotationStatusCommand.command,
          RotationAbort.command, RotationContinue.command, RotationHistory.command,
          RotationAdopt.command, RotationProof.command, RetiredCAExport.command,
        ])
    ])
}
