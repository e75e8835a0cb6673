public import RPC

extension HTTPResponse {
  /// An answer of plain text, which no browser takes for anything else and no cache keeps.
  ///
  /// - Parameters:
  ///   - text: without a line feed at its end.
  ///   - fields: fields beside those of the text.
  public static func text(
    _ status: Int, _ text: String, fields: KeyValuePairs<String, String> = [:]
  ) -> HTTPResponse {
    var all = HeaderFields([
      "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    ])
    for (name, value) in fields { all.append(name, value) }
    return HTTPResponse(status: status, fields: all, body: Array((text + "\n").utf8))
  }
}
