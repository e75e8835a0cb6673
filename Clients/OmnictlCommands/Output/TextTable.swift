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
  var text: String {
    let all = [headings] + rows
    let widths = headings.indices.map { column in
      all.map { DisplayWidth.of($0[column]) }.max() ?? 0
    }
    return all.map { row in
      let padded = zip(row.dropLast(), widths).map { DisplayWidth.pad($0, to: $1) }
      return (padded + row.suffix(1)).joined(separator: "  ") + "\n"
    }.joined()
  }
}

/// Names with values, one pair a line, the values aligned.
struct PropertyList {
  private var pairs: [(name: String, value: String)] = []

  mutating func add(_ name: String, _ value: String) {
    pairs.append((name, value.isEmpty ? "-" : Printable.line(value)))
  }

  var text: String {
    let width = pairs.map { DisplayWidth.of($0.name) + 1 }.max() ?? 0
    return pairs.map { DisplayWidth.pad($0.name + ":", to: width) + "  \($0.value)\n" }.joined()
  }
}
