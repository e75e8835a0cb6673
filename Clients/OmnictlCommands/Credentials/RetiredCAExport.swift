internal import Schema

/// `omnictl cluster -n NAME secret rotate export-ca [ROTATION]`.
enum RetiredCAExport {
  private static let kind = "retired CA"

  private static let rotation = ArgumentSpec(
    "ROTATION", "the rotation that has retired it (default the newest)", completion: .rotations,
    isOptional: true)

  private static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files,
    "write it there, with mode 0600 (default retired-ca.pem); a file that exists is left alone "
      + "without --force")

  private static let force = Flag<Bool>.switched(
    "force", fallback: false, "replace the file of --output-file")

  static let command: CommandSpec = .init(
    "export-ca", "Write the CA that a rotation has retired into a file, with its key",
    examples: [
      "omnictl cluster -n prod secret rotate export-ca --output-file retired-ca.pem"
    ],
    discussion: """
      Of a rotation that has succeeded it is the old CA, of one that was aborted the new one. omnid keeps
      it, sealed, as long as the rotation is in the history. It goes into a file alone, and the audit
      log tells of it. No machine accepts what it signs.
      """,
    arguments: [rotation], flags: [outputFile.spec, force.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    let path = session.invocation[outputFile] ?? "retired-ca.pem"
    guard path != "-" else {
      throw CommandError(.wrongUsage, "a CA's key goes into a file: name one with --output-file")
    }
    let standing = try KeyFile.standing(path, kind, replacing: session.invocation[force])
    var request = ExportRetiredCARequest()
    request.cluster = session.cluster
    request.rotationID = session.invocation[rotation]
    var answer = try await session.call(ManagementServiceMethods.exportRetiredCA, request)
    do throws(PrivateFile.Failure) {
      try PrivateFile.write(answer.certificate + answer.privateKey, to: path, replacing: standing)
    } catch { throw CredentialFile.failure(kind, path, error) }
    answer.privateKey = ""
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      session.print(
        Printable.line(
          "wrote the retired CA \(answer.fingerprint.shortFingerprint) of cluster \(session.cluster), with its "
            + "key, to \(path)") + "\n")
    }
  }
}
