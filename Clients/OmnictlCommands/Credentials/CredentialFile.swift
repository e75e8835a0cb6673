internal import ProtoCodec
internal import Schema

/// What `talosconfig` and `kubeconfig` have in common: a file with a key goes to standard output or,
/// with mode 0600, to a file; nowhere else.
enum CredentialFile {
  private static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files,
    "write it there, with mode 0600 (- for the output); a file that exists is left alone without "
      + "--merge or --force")

  private static let merge = Flag<Bool>.switched(
    "merge", fallback: false,
    "put it into the file of --output-file: what bears the same names is replaced, all else stays, "
      + "and its context becomes the current one")

  private static let force = Flag<Bool>.switched(
    "force", fallback: false, "replace the whole file of --output-file")

  private static let ttl = Flag<Duration?>.duration(
    "ttl", "how long its certificate is valid (default as the server has it, 12h)")

  private static let breakGlass = Flag<Bool>.switched(
    "break-glass", fallback: false,
    "for emergencies: valid for 365 days unless --ttl says otherwise; the cluster is marked until both "
      + "CAs have been rotated after it")

  static let flags = [outputFile.spec, merge.spec, force.spec, ttl.spec, breakGlass.spec]

  /// Whether the file is one for emergencies.
  static func isForEmergencies(_ session: Session) -> Bool { session.invocation[breakGlass] }

  /// Tells whoever gets a file for emergencies what that has done to the cluster.
  static func tellOfMark(_ session: Session) {
    guard isForEmergencies(session) else { return }
    session.tell(
      "cluster \(session.cluster) is marked tainted-by-break-glass until both CAs have been rotated after this"
    )
  }

  /// The largest file that is merged into.
  static let sizeLimit = 4 << 20

  /// The lifetime to ask for; nil leaves it to the server.
  static func lifetime(_ session: Session) throws(CommandError) -> ProtoDuration? {
    guard let ttl = session.invocation[ttl] else { return nil }
    let (seconds, attoseconds) = ttl.components
    if seconds == 0 && attoseconds == 0 {
      throw CommandError(.wrongUsage, "--ttl must be more than nothing", hint: "as in --ttl 8h")
    }
    return ProtoDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }

  /// Where the credential is to go. Found out before it is asked for, so that no key is made for
  /// nothing.
  static func destination(
    _ kind: any ConfigMerge.Type, _ session: Session
  ) throws(CommandError) -> CredentialDestination {
    let (merges, forces) = (session.invocation[merge], session.invocation[force])
    guard let path = session.invocation[outputFile], path != "-" else {
      guard !merges && !forces else {
        throw CommandError(
          .wrongUsage, "--merge and --force are about the file of --output-file", hint: "name it")
      }
      return CredentialDestination(kind: kind, path: nil)
    }
    guard !merges || !forces else {
      throw CommandError(
        .wrongUsage, "--merge keeps what the file holds and --force does not", hint: "choose one")
    }
    do throws(PrivateFile.Failure) {
      let standing = try PrivateFile.standing(path)
      var destination = CredentialDestination(kind: kind, path: path, standing: standing)
      guard let standing else {
        try PrivateFile.findDirectory(of: path)
        return destination
      }
      guard merges || forces else {
        throw PrivateFile.Failure(
          reason: "it exists already; --merge puts the \(kind.name) into it, --force replaces it",
          isRefusal: true)
      }
      try PrivateFile.requireOwn(standing)
      if merges {
        destination.existing = try PrivateFile.text(path, standing, limit: sizeLimit)
      }
      return destination
    } catch { throw failure(kind.name, path, error) }
  }

  static func failure(_ kind: String, _ path: String, _ error: PrivateFile.Failure) -> CommandError
  {
    CommandError(
      error.isRefusal ? .refused : .failed,
      "the \(kind) cannot be written to '\(path)': \(error.reason)",
      hint: "or choose another --output-file")
  }
}
