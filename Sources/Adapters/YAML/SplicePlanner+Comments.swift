/// Where the comments go that stand around a value which is replaced: all of them stay.
extension SplicePlanner {
  /// A value as it is written, with comments at the end of its first line.
  static func firstLine(of written: String, newline: String, with comments: [String]) -> String {
    guard !comments.isEmpty else { return written }
    let comment = " " + comments.joined(separator: " ")
    // Of what is written on several lines, a literal block, the first holds the `|` alone.
    guard let end = written.ranges(of: newline).first?.lowerBound else { return written + comment }
    return written[..<end] + comment + written[end...]
  }

  /// What stands behind the key of a block collection whose place a block takes.
  func collectionLead(_ old: YAMLNode, _ indicatorEnd: Int) -> String {
    source.lineEnd(indicatorEnd) > old.range.lowerBound ? "" : source.restOfLine(indicatorEnd)
  }

  /// What stands behind the key of a scalar whose place a block takes, up to the end of the scalar's last line,
  /// without the scalar.
  func scalarLead(_ old: YAMLNode, _ indicatorEnd: Int) -> String {
    let rest = source.restOfLine(source.contentEnd(old))
    let heads = source.headComments(old)
    guard source.lineEnd(indicatorEnd) < old.range.lowerBound else {
      return heads.map { " " + $0 }.joined() + rest
    }
    let line = source.lineStart(old.range.lowerBound)
    let indent = source.text(line..<old.range.lowerBound)
    let below = heads + (rest.isEmpty ? [] : [String(rest.drop { $0 == " " || $0 == "\t" })])
    return source.restOfLine(indicatorEnd)
      + source.commentLines(indicatorEnd..<old.range.lowerBound)
      + below.map { source.newline + indent + $0 }.joined()
  }
}
