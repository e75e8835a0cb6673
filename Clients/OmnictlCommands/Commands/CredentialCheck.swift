internal import Schema

/// `omnictl credential check FILE`.
enum CredentialGroup {
  static let command = CommandSpec(
    "credential", "Credentials that were handed out",
    examples: [
      "omnictl credential check ~/.kube/config"
    ], subcommands: [check])

  private static let file = ArgumentSpec(
    "FILE", "a talosconfig, a kubeconfig or a certificate in PEM form; - for standard input",
    completion: .files)

  private static let context = Flag<String?>.text(
    "context", "CTX", key: "file-context", "the context in the file (default its current one)")

  private static let cluster = Flag<String?>.text(
    "cluster", "NAME", completion: .clusters,
    "the cluster it is for, whose retired CAs are looked at too (default any, by its CA)")

  /// The largest file that is read.
  private static let sizeLimit = 4 << 20

  private static let check: CommandSpec = .init(
    "check", "Whether a talosconfig or kubeconfig is still good, and on which machines",
    examples: [
      "omnictl credential check ~/.kube/config --context admin@prod",
      "omnictl credential check old-talosconfig --cluster prod",
    ],
    discussion: """
      The certificate in the file is sent to omnid, never its key. omnid says which CA has signed it and
      asks every machine whether it accepts that CA now. A certificate cannot be taken back by itself:
      what ends it before its time is a rotation of its CA.
      """,
    arguments: [file], flags: [context.spec, cluster.spec]
  ) { session throws(CommandError) in
    let path = session.invocation[file]
    var request = CheckCredentialRequest()
    request.cluster = session.invocation[cluster] ?? ""
    do throws(InputFile.Failure) {
      let text = try InputFile.text(path, limit: sizeLimit)
      do throws(ClientFile.Failure) {
        request.certificate = try ClientFile(text, context: session.invocation[context])
          .certificate
      } catch { throw InputFile.Failure(reason: error.reason) }
    } catch {
      throw CommandError(.wrongUsage, "'\(path)' cannot be checked: \(error.reason)")
    }
    let answer = try await session.call(ManagementServiceMethods.checkCredential, request)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table: session.print(text(answer, session))
    }
  }

  private static func text(_ answer: CheckCredentialResponse, _ session: Session) -> String {
    let columns = session.surroundings.output.columns
    func paragraph(_ text: String, hanging: Int = 0) -> String {
      Paragraph.lines(Printable.line(text), hanging: hanging, columns: columns)
        .map { $0 + "\n" }.joined()
    }
    func fact(_ name: String, _ value: String) -> String {
      paragraph(DisplayWidth.pad(name, to: 9) + value, hanging: 9)
    }
    let until = answer.notAfter.map(Moment.text) ?? "-"
    var text =
      fact("subject", answer.subject) + fact("serial", answer.serial) + fact("until", until)
    let isKnown = answer.authority != .unknown
    guard isKnown || !answer.machines.isEmpty else {
      return text + "\n" + paragraph(unknownIssuer(answer))
    }
    text +=
      fact(
        "CA",
        isKnown
          ? "\(answer.component.word) \(answer.caFingerprint.shortFingerprint) of cluster \(answer.cluster)"
            + (answer.authority == .retired ? ", retired by a rotation" : "")
          : "not on record of cluster \(answer.cluster)") + "\n"
    var table = TextTable("MACHINE", "ROLE", "LETS-IT-IN", "DETAIL")
    for machine in answer.machines {
      table.add(
        machine.machine, MachineList.role(machine.controlPlane),
        answer.inTime ? machine.state.word : "no",
        answer.inTime ? machine.detail : outOfTime(answer, session))
    }
    return text + table.text(columns: columns) + "\n" + paragraph(verdict(answer, session))
  }

  private static func unknownIssuer(_ answer: CheckCredentialResponse) -> String {
    (answer.cluster.isEmpty
      ? "No CA in use of a cluster that omnid knows has signed it, and no machine has been asked. With --cluster NAME "
        + "retired CAs are looked at too, and the machines of that cluster are asked."
      : "No CA on record of cluster \(answer.cluster) has signed it.")
      + " Machines of clusters that omnid does not know may accept it."
  }

  private static func outOfTime(_ answer: CheckCredentialResponse, _ session: Session) -> String {
    begin(answer, session).map { "it is not valid before \(Moment.text($0))" } ?? "it has expired"
  }

  /// When the certificate's time begins, if that is yet to come.
  private static func begin(_ answer: CheckCredentialResponse, _ session: Session) -> Timestamp? {
    answer.notBefore.flatMap { $0.seconds > session.surroundings.now().seconds ? $0 : nil }
  }

  private static func verdict(_ answer: CheckCredentialResponse, _ session: Session) -> String {
    guard answer.inTime else {
      guard let start = begin(answer, session) else {
        return "It has expired: nobody lets it in."
      }
      return
        "It is not valid before \(Moment.text(start)): nobody lets it in until then. From then on "
        + "whoever accepts its CA does."
    }
    let all = answer.machines.count
    let unknown = answer.machines.count { $0.state == .unknown }
    let rest = unknown > 0 ? "; \(unknown) could not be asked" : ""
    guard answer.acceptedBy > 0 else {
      return unknown > 0
        ? "No machine that answered lets it in\(rest)." : "No machine lets it in any more."
    }
    guard answer.authority != .unknown else {
      return
        "It is good on \(answer.acceptedBy) of \(all) machines\(rest), by a CA that is not on record: somebody has added "
        + "it. Rotate with --remove-foreign, and find out who has added it."
    }
    let rotate = session.line(
      "cluster -n \(answer.cluster) secret rotate \(answer.component.word) --reason leaked-"
        + answer.component.credential)
    return
      "It is still good on \(answer.acceptedBy) of \(all) machines\(rest). Where it has leaked: \(rotate)"
  }
}

extension CredentialAcceptanceState {
  fileprivate var word: String {
    switch self {
    case .accepted: "yes"
    case .refused: "no"
    default: "unknown"
    }
  }
}
