internal import Schema

/// `omnictl cluster -n NAME trust-bundle`.
enum TrustBundleCommand {
  private static let kind = "trust bundle"

  private static let component = Flag<String?>.text(
    "component", "CA", completion: .words(["talos-ca", "kubernetes-ca"]),
    "write the certificates of talos-ca or kubernetes-ca, in PEM, instead of a table of both")

  private static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files,
    "write them there, with mode 0600 (- for the output); a file that exists is left alone without --force"
  )

  private static let force = Flag<Bool>.switched(
    "force", fallback: false, "replace the file of --output-file")

  static let command: CommandSpec = .init(
    "trust-bundle", "Show which CAs have to be trusted by whoever talks to the cluster",
    examples: [
      "omnictl cluster -n prod trust-bundle",
      "omnictl cluster -n prod trust-bundle --component kubernetes-ca --output-file kubernetes-ca.pem",
    ],
    discussion: """
      Load balancers, monitoring and pipelines have to trust both CAs of a rotation before ROTATE begins,
      and need the old one until POST_ROTATE is over. This is told by what is on record. The same is at
      GET /trust/CLUSTER/talos-ca.pem of omnid's listeners, and in the files of omnid serve
      --trust-bundle-dir, which change by themselves.
      """,
    flags: [component.spec, outputFile.spec, force.spec], clusterFlag: .required
  ) { session throws(CommandError) in
    let wanted = try session.invocation[component].map { word throws(CommandError) in
      try named(word)
    }
    guard let path = session.invocation[outputFile], path != "-" else {
      guard !session.invocation[force] else {
        throw CommandError(
          .wrongUsage, "--force is about the file of --output-file", hint: "name it")
      }
      let answer = try await ask(session)
      try show(answer, wanted, session)
      warn(answer, session)
      return
    }
    guard let wanted else {
      throw CommandError(
        .wrongUsage, "a file holds the CAs of one kind",
        hint: "choose --component talos-ca or --component kubernetes-ca")
    }
    let standing = try KeyFile.standing(
      path, kind, replacing: session.invocation[force], isSecret: false)
    let answer = try await ask(session)
    let bundle = try found(wanted, answer, session)
    do throws(PrivateFile.Failure) {
      try PrivateFile.write(pem(bundle), to: path, replacing: standing, isSecret: false)
    } catch { throw CredentialFile.failure(kind, path, error) }
    warn(answer, session)
    switch session.format {
    case .json: session.printJSON(answer)
    case .table:
      let count = bundle.authorities.count
      session.print(
        Printable.line(
          "wrote \(count) \(count == 1 ? "CA" : "CAs") of cluster \(session.cluster) to \(path)")
          + "\n")
    }
  }

  private static func named(_ word: String) throws(CommandError) -> SecretComponent {
    switch word {
    case "talos-ca": return .talosCA
    case "kubernetes-ca": return .kubernetesCA
    default:
      throw CommandError(
        .wrongUsage, "--component '\(Printable.line(word))' is neither talos-ca nor kubernetes-ca")
    }
  }

  private static func ask(
    _ session: Session
  ) async throws(CommandError) -> GetTrustBundleResponse {
    var request = GetTrustBundleRequest()
    request.cluster = session.cluster
    return try await session.call(ManagementServiceMethods.getTrustBundle, request)
  }

  private static func found(
    _ component: SecretComponent, _ answer: GetTrustBundleResponse, _ session: Session
  ) throws(CommandError) -> TrustBundle {
    guard let bundle = answer.bundles.first(where: { $0.component == component }) else {
      throw CommandError(
        .notFound, "cluster \(session.cluster) has no \(component.word)")
    }
    return bundle
  }

  private static func show(
    _ answer: GetTrustBundleResponse, _ wanted: SecretComponent?, _ session: Session
  ) throws(CommandError) {
    switch (session.format, wanted) {
    case (.json, let wanted):
      var part = answer
      if let wanted { part.bundles = [try found(wanted, answer, session)] }
      session.printJSON(part)
    case (.table, let wanted?):
      let text = pem(try found(wanted, answer, session))
      session.print(session.surroundings.screen == nil ? text : Printable.text(text))
    case (.table, nil): session.print(table(answer))
    }
  }

  static func table(_ answer: GetTrustBundleResponse) -> String {
    var table = TextTable("COMPONENT", "FINGERPRINT", "CA", "ISSUES", "ROTATION")
    for bundle in answer.bundles {
      let rotation =
        bundle.rotationID.isEmpty
        ? ""
        : bundle.rotationID + " " + (bundle.phase == .unspecified ? "" : bundle.phase.word)
          + (bundle.goingBack ? ", going back" : "")
      for authority in bundle.authorities {
        let generation =
          switch authority.generation {
          case .old: "old"
          case .new: "new"
          default: "in use"
          }
        table.add(
          bundle.component.word, authority.fingerprint.shortFingerprint, generation,
          authority.issuing ? "yes" : "no", rotation)
      }
    }
    return table.text
  }

  private static func pem(_ bundle: TrustBundle) -> String {
    bundle.authorities.map { authority in
      authority.certificate.hasSuffix("\n")
        ? authority.certificate : authority.certificate + "\n"
    }.joined()
  }

  private static func warn(_ answer: GetTrustBundleResponse, _ session: Session) {
    guard answer.recordOutdated else { return }
    session.tell(
      "the machines live by other CAs than omnid has on record: omnictl cluster adopt \(session.cluster) --talosconfig "
        + "FILE brings the record up to date, with a talosconfig that the machines accept now")
  }
}
