/// A text of any length as lines.
enum Paragraph {
  /// The text behind `indent` spaces; on a terminal broken at its width, the lines after the first
  /// `hanging` spaces further to the right. Without a terminal it is one line, however long.
  static func lines(
    _ text: String, indent: Int = 0, hanging: Int = 0, columns: Int?
  ) -> [String] {
    let text = Printable.line(text)
    let first = String(repeating: " ", count: indent)
    guard let columns, columns > indent + DisplayWidth.of(text) else {
      return columns.map { broken(text, indent: indent, hanging: hanging, columns: $0) }
        ?? [first + text]
    }
    return [first + text]
  }

  private static func broken(
    _ text: String, indent: Int, hanging: Int, columns: Int
  ) -> [String] {
    // A terminal too narrow for the indentation has none.
    let fits = columns > (indent + hanging) * 2
    let first = String(repeating: " ", count: fits ? indent : 0)
    let others = String(repeating: " ", count: fits ? indent + hanging : 0)
    // A terminal that is full to its last column wraps or not as it likes.
    let room = max(1, columns - 1)
    let head = DisplayWidth.wrap(text, to: room - first.count, lines: .max).first ?? ""
    let rest = text.dropFirst(head.count).drop { $0 == " " }
    return [first + head]
      + DisplayWidth.wrap(String(rest), to: room - others.count).map { others + $0 }
  }
}
