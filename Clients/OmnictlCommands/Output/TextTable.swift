/// Columns of text under headings, aligned, two spaces between them.
struct TextTable {
  private let headings: [String]
  private var rows: [[String]] = []

  init(_ headings: String...) { self.headings = headings }

  /// Adds a row; its cells come from anywhere.
  mutating func add(_ cells: String...) { add(cells) }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count, "a row has as many cells as there are headings")
    rows.append(cells.map { $0.isEmpty ? "-" : Printable.line($0) })
  }

  /// The heading and the rows, each with a line feed. Nothing stands after the last cell of a row.
  var text: String { text(columns: nil) }

  /// The same for a terminal of that width: what does not fit of the last column stands below in it, or, where there is
  /// little room for it, on lines of its own.
  func text(columns: Int?) -> String {
    let all = [headings] + rows
    let widths = headings.indices.map { column in
      all.map { DisplayWidth.of($0[column]) }.max() ?? 0
    }
    let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
    return all.map { row in
      let head = zip(row.dropLast(), widths).map { DisplayWidth.pad($0, to: $1) + "  " }.joined()
      let last = row[row.count - 1]
      guard let columns, before + DisplayWidth.of(last) >= columns else {
        return "\(head)\(last)\n"
      }
      let room = columns - 1 - before
      guard room >= Self.leastRoom else {
        return Self.trimmed(head) + "\n"
          + Paragraph.lines(last, indent: 4, columns: columns).map { $0 + "\n" }.joined()
      }
      let lines = DisplayWidth.wrap(last, to: room)
      let indent = String(repeating: " ", count: before)
      return lines.enumerated().map { ($0 == 0 ? head : indent) + $1 + "\n" }.joined()
    }.joined()
  }

  /// A column narrower than this is no place for a sentence.
  private static let leastRoom = 24

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// Names with values, one pair a line, the values aligned.
struct PropertyList {
  private var pairs: [(name: String, value: String)] = []

  mutating func add(_ name: String, _ value: String) {
    pairs.append((name, value.isEmpty ? "-" : Printable.line(value)))
  }

  var text: String { text(columns: nil) }

  /// The same for a terminal of that width: a value that does not fit goes on below itself.
  func text(columns: Int?) -> String {
    let width = pairs.map { DisplayWidth.of($0.name) + 1 }.max() ?? 0
    return pairs.map { name, value in
      let head = DisplayWidth.pad(name + ":", to: width) + "  "
      guard let columns, width + 2 + DisplayWidth.of(value) >= columns else {
        return "\(head)\(value)\n"
      }
      let indent = String(repeating: " ", count: min(width + 2, columns / 2))
      return DisplayWidth.wrap(value, to: max(1, columns - 1 - width - 2)).enumerated()
        .map { ($0 == 0 ? head : indent) + $1 + "\n" }.joined()
    }.joined()
  }
}
