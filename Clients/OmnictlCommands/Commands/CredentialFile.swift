internal import ProtoCodec
internal import Schema

/// What `talosconfig` and `kubeconfig` have in common: a file with a key goes to standard output or,
/// with mode 0600, to a file; nowhere else.
enum CredentialFile {
  static let outputFile = Flag<String?>.text(
    "output-file", "FILE", completion: .files, "write it there, with mode 0600 (- for the output)")

  static let ttl = Flag<Duration?>.duration(
    "ttl", "how long its certificate is valid (default as the server has it, 12h)")

  /// The lifetime to ask for; nil leaves it to the server.
  static func lifetime(_ session: Session) throws(CommandError) -> ProtoDuration? {
    guard let ttl = session.invocation[ttl] else { return nil }
    let (seconds, attoseconds) = ttl.components
    if seconds == 0 && attoseconds == 0 {
      throw CommandError(.wrongUsage, "--ttl must be more than nothing", hint: "as in --ttl 8h")
    }
    return ProtoDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }

  /// - Parameters:
  ///   - answer: the server's, for JSON.
  ///   - withoutText: the same without the text, for JSON when the text goes into a file.
  static func deliver(
    _ kind: String, _ text: String, expires: Timestamp?, answer: some Message,
    withoutText: some Message, _ session: Session
  ) throws(CommandError) {
    let path = session.invocation[outputFile]
    guard let path, path != "-" else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table:
        session.print(session.surroundings.screen == nil ? text : Printable.text(text))
      }
      return
    }
    do throws(PrivateFile.Failure) { try PrivateFile.write(text, to: path) } catch {
      throw CommandError(
        .failed, "the \(kind) cannot be written to '\(path)': \(error.reason)",
        hint: "choose another --output-file")
    }
    switch session.format {
    case .json: session.printJSON(withoutText)
    case .table:
      session.print(
        "wrote the \(kind) of cluster \(Printable.line(session.cluster)) to "
          + "\(Printable.line(path)), valid until \(Moment.text(expires))\n")
    }
  }
}
