internal import Schema

/// `omnictl cluster -n NAME secrets export`.
enum SecretsExport {
  private static let kind = "secrets bundle"

  private static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files,
    "write it there, with mode 0600 (default secrets.yaml, - for the output); a file that exists is "
      + "left alone without --force")

  private static let force = Flag<Bool>.switched(
    "force", fallback: false, "replace the file of --output-file")

  static let command: CommandSpec = .init(
    "export", "Write the cluster's secrets bundle, as talosctl gen secrets does",
    examples: [
      "omnictl cluster -n prod secrets export --output-file secrets.yaml"
    ],
    discussion: """
      The present secrets are read from a control plane: with this file 'talosctl gen config
      --with-secrets', talhelper and Terraform go on from the CAs that a rotation has brought, instead of
      putting the old ones back. It holds every private key of the cluster. Refused (exit code 3) while a
      rotation is in progress.
      """,
    flags: [outputFile.spec, force.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    let path = session.invocation[outputFile] ?? "secrets.yaml"
    // Found out before the keys are asked for, so that none travels for nothing.
    let standing =
      try path == "-"
      ? nil : KeyFile.standing(path, kind, replacing: session.invocation[force])
    var request = ExportSecretsRequest()
    request.cluster = session.cluster
    let answer = try await session.call(ManagementServiceMethods.exportSecrets, request)
    guard path != "-" else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table:
        session.print(
          session.surroundings.screen == nil
            ? answer.secretsBundle : Printable.text(answer.secretsBundle))
      }
      return
    }
    do throws(PrivateFile.Failure) {
      try PrivateFile.write(answer.secretsBundle, to: path, replacing: standing)
    } catch { throw CredentialFile.failure(kind, path, error) }
    switch session.format {
    case .json: session.printJSON(ExportSecretsResponse())
    case .table:
      session.print(
        Printable.line(
          "wrote the \(kind) of cluster \(session.cluster) to \(path): it holds every private key of the cluster"
        )
          + "\n")
    }
  }
}
