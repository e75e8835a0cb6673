internal import ProtoCodec
internal import Schema

/// Where a credential goes.
struct CredentialDestination {
  let kind: any ConfigMerge.Type
  /// Nil for standard output.
  let path: String?
  /// The file that it takes the place of.
  var standing: PrivateFile.Standing?
  /// What that file holds, when the credential is put in beside it.
  var existing: String?

  /// - Parameters:
  ///   - answer: the server's, for JSON.
  ///   - withoutText: the same without the text, for JSON when the text goes into a file.
  func deliver(
    _ text: String, expires: Timestamp?, answer: some Message, withoutText: some Message,
    _ session: Session
  ) throws(CommandError) {
    guard let path else {
      switch session.format {
      case .json: session.printJSON(answer)
      case .table:
        session.print(session.surroundings.screen == nil ? text : Printable.text(text))
      }
      return
    }
    let merged = try existing.map { existing throws(CommandError) in
      try merge(text, into: existing, path)
    }
    do throws(PrivateFile.Failure) {
      try PrivateFile.write(merged?.text ?? text, to: path, replacing: standing)
    } catch { throw CredentialFile.failure(kind.name, path, error) }
    switch session.format {
    case .json: session.printJSON(withoutText)
    case .table: session.print(told(path, merged, expires, session))
    }
  }

  private func merge(
    _ text: String, into existing: String, _ path: String
  ) throws(CommandError) -> MergedConfig {
    do throws(MergedConfig.Failure) { return try kind.merge(text, into: existing) } catch {
      throw CommandError(
        .refused,
        "the \(kind.name) cannot be put into '\(path)', which is as it was: \(error.reason)",
        hint: "--force replaces the whole file, another --output-file leaves it alone")
    }
  }

  private func told(
    _ path: String, _ merged: MergedConfig?, _ expires: Timestamp?, _ session: Session
  ) -> String {
    let what = "the \(kind.name) of cluster \(session.cluster)"
    let until = "valid until \(Moment.text(expires))"
    guard let merged else { return Printable.line("wrote \(what) to \(path), \(until)") + "\n" }
    var lines = [
      "put \(what) into \(path), \(until)",
      "context \(merged.current) is the current one now; other contexts there: \(merged.others)",
    ]
    if !merged.replaced.isEmpty {
      lines.append("replaced: \(merged.replaced.joined(separator: ", "))")
    }
    return lines.map { Printable.line($0) + "\n" }.joined()
  }
}
