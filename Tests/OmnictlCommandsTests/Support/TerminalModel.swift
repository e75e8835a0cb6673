/// A terminal that knows what the live view uses: text, CR, LF, cursor up, erase to the end of the
/// line and of the screen, cursor visibility, SGR. Anything else is a mistake.
struct TerminalModel {
  private(set) var rows: [[Character]] = [[]]
  private(set) var row = 0
  private(set) var column = 0
  private(set) var isCursorVisible = true
  private(set) var unknown: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      rows[rows.count - 1] = Array(line)
      rows.append([])
    }
    rows.removeLast()
    row = rows.count - 1
  }

  var screen: [String] {
    rows.map { line in
      var text = String(line)
      while text.last == " " { text.removeLast() }
      return text
    }
  }

  mutating func feed(_ text: String) {
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "\r": column = 0
      case "\n": lineFeed()
      case "\r\n":
        lineFeed()
      case "\u{1B}": escape(&rest)
      default: put(character)
      }
    }
  }

  private mutating func lineFeed() {
    row += 1
    column = 0
    if row == rows.count { rows.append([]) }
  }

  private mutating func put(_ character: Character) {
    while rows[row].count <= column { rows[row].append(" ") }
    rows[row][column] = character
    column += 1
  }

  private mutating func escape(_ rest: inout Substring) {
    guard rest.popFirst() == "[" else { return unknown.append("ESC") }
    let parameters = rest.prefix { $0.isNumber || $0 == "?" || $0 == ";" }
    rest = rest.dropFirst(parameters.count)
    switch (rest.popFirst(), parameters) {
    case ("A", let count): row = max(0, row - (Int(count) ?? 1))
    case ("K", "2"): rows[row] = []
    case ("J", ""):
      rows[row] = Array(rows[row].prefix(column))
      rows = Array(rows.prefix(row + 1))
    case ("h", "?25"): isCursorVisible = true
    case ("l", "?25"): isCursorVisible = false
    case ("m", _): break
    case (let final, _): unknown.append("\(parameters)\(final.map(String.init) ?? "")")
    }
  }
}
