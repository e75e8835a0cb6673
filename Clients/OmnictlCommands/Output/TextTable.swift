/// Columns of text under headings, aligned, two spaces between them.
struct TextTable {
  private let headings: [String]
  private var rows: [[String]] = []

  init(_ headings: String...) { self.init(headings) }

  init(_ headings: [String]) { self.headings = headings }

  /// Adds a row; its cells come from anywhere.
  mutating func add(_ cells: String...) { add(cells) }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count, "a row has as many cells as there are headings")
    rows.append(cells.map { $0.isEmpty ? "-" : Printable.line($0) })
  }

  /// The heading and the rows, each with a line feed. Nothing stands after the last cell of a row.
  var text: String { text(columns: nil) }

  /// The same for a terminal of that width, with nothing lost. What does not fit of the last column stands below in
  /// it. Where there is little room for that, the first columns that fit are aligned, and the others stand below each
  /// row, each after its heading unless it is the last alone. Cells of those without a value are left out.
  func text(columns: Int?) -> String {
    let widths = headings.indices.map { column in
      ([headings] + rows).map { DisplayWidth.of($0[column]) }.max() ?? 0
    }
    guard let columns else { return aligned(widths, lastRoom: .max) }
    // A terminal that is full to its last column wraps or not as it likes.
    let room = max(1, columns - 1)
    let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
    if before + (widths.last ?? 0) <= room { return aligned(widths, lastRoom: .max) }
    if room - before >= Self.leastRoom { return aligned(widths, lastRoom: room - before) }
    return folded(widths, columns: columns)
  }

  /// - Parameter lastRoom: how wide the last column may be.
  private func aligned(_ widths: [Int], lastRoom: Int) -> String {
    let indent = String(
      repeating: " ", count: widths.dropLast().reduce(0) { $0 + $1 + 2 })
    return ([headings] + rows).map { row in
      let head = zip(row.dropLast(), widths).map { DisplayWidth.pad($0, to: $1) + "  " }.joined()
      let last = row[row.count - 1]
      guard DisplayWidth.of(last) > lastRoom else { return "\(head)\(last)\n" }
      return DisplayWidth.wrap(last, to: lastRoom).enumerated().map {
        ($0 == 0 ? head : indent) + $1 + "\n"
      }.joined()
    }.joined()
  }

  private func folded(_ widths: [Int], columns: Int) -> String {
    let room = max(1, columns - 1)
    var kept = 0
    var used = 0
    // The last column has been found not to fit.
    while kept < widths.count - 1, used + widths[kept] <= room {
      used += widths[kept] + 2
      kept += 1
    }
    // Not even the first one: its cells are wrapped.
    kept = max(1, kept)
    let isLastAlone = kept == headings.count - 1
    return ([headings] + rows).enumerated().map { index, row in
      let head = zip(row.prefix(kept), widths).map { DisplayWidth.pad($0, to: $1) }
        .joined(separator: "  ")
      if isLastAlone, DisplayWidth.of(head) + 2 + DisplayWidth.of(row[kept]) <= room {
        return "\(head)  \(row[kept])\n"
      }
      var lines = DisplayWidth.wrap(Self.trimmed(head), to: room)
      if index > 0 || isLastAlone {
        let rest = (kept..<headings.count).filter { row[$0] != "-" }.map {
          isLastAlone ? row[$0] : "\(headings[$0].lowercased()): \(row[$0])"
        }
        lines += Self.packed(rest, columns: columns)
      }
      return lines.map { $0 + "\n" }.joined()
    }.joined()
  }

  /// The items one after the other, as many on a line as fit.
  private static func packed(_ items: [String], columns: Int) -> [String] {
    let room = max(1, columns - 1 - indent)
    var lines: [String] = []
    var line = ""
    for item in items {
      let longer = line.isEmpty ? item : "\(line)  \(item)"
      if DisplayWidth.of(longer) > room, !line.isEmpty {
        lines.append(line)
        line = item
      } else {
        line = longer
      }
    }
    if !line.isEmpty { lines.append(line) }
    return lines.flatMap { Paragraph.lines($0, indent: indent, columns: columns) }
  }

  /// A column narrower than this is no place for a sentence.
  private static let leastRoom = 24
  /// How far what stands below a row is to the right.
  private static let indent = 4

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
