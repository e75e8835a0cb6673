internal import Evidence

/// `omnictl report`.
enum ReportGroup {
  static let command = CommandSpec(
    "report", "Reports that omnid has signed",
    examples: [
      "omnictl report verify proof.json"
    ], subcommands: [verify])

  private static let file = ArgumentSpec(
    "FILE", "a report, as 'secret rotate proof' prints it; - for standard input",
    completion: .files)

  private static let key = Flag<String?>.text(
    "key", "FINGERPRINT",
    "the fingerprint of the key that has to have signed it, as omnid's answers and log tell it")

  static let verify: CommandSpec = .init(
    "verify", "Check the signature of a report; needs no server and no network",
    examples: [
      "omnictl cluster -n prod secret rotate proof > proof.json",
      "omnictl report verify proof.json --key 5d41402abc4b2a76b9719d911017c592",
    ],
    discussion: """
      The key that signed a report stands in it, so the signature alone says that nothing was changed
      since. Whose key it is, its fingerprint says: give the one that you know from omnid with --key.
      'cluster -n NAME secret rotate proof -o json' has it, and omnid logs it at its start.
      """,
    arguments: [file], flags: [key.spec], isLocal: true
  ) { session throws(CommandError) in
    let path = session.invocation[file]
    let document: String
    do throws(InputFile.Failure) {
      document = try InputFile.text(path, limit: SignedReport.limit)
    } catch { throw CommandError(.failed, "the report cannot be read: \(path): \(error.reason)") }
    let report: SignedReport
    do throws(SignedReport.Invalid) { report = try SignedReport(verifying: document) } catch {
      throw CommandError(.failed, "the report \(error.reason)")
    }
    let found = report.keyFingerprint
    if let wanted = session.invocation[key], wanted.lowercased() != found {
      throw CommandError(
        .failed, "the report was signed with the key \(found), not with \(wanted)")
    }
    let known =
      session.invocation[key] == nil
      ? ", which was compared with nothing: --key does" : ", which is the one that was given"
    switch session.format {
    case .json:
      session.print(
        JSONDocument.object([
          ("valid", "true"), ("keyFingerprint", JSONDocument.string(found)),
          ("keyCompared", session.invocation[key] == nil ? "false" : "true"),
        ]) + "\n")
    case .table:
      session.print(
        "the report is as it was signed, with the key \(found)\(known)\n")
    }
  }
}
