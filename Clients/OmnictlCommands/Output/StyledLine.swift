/// A line for a terminal: pieces of text, each with its style.
struct StyledLine: Equatable, Sendable {
  enum Style: Equatable, Sendable {
    case plain, bold, dim, green, yellow, red

    /// The parameter of SGR (ECMA-48 8.3.117); nil for none.
    var parameter: String? {
      switch self {
      case .plain: nil
      case .bold: "1"
      case .dim: "2"
      case .green: "32"
      case .yellow: "33"
      case .red: "31"
      }
    }
  }

  private(set) var pieces: [Piece] = []

  struct Piece: Equatable, Sendable {
    var text: String
    var style: Style
  }

  init() {}

  init(_ text: String, _ style: Style = .plain) { append(text, style) }

  /// Adds text; what a terminal would act on is made harmless here.
  mutating func append(_ text: String, _ style: Style = .plain) {
    if !text.isEmpty { pieces.append(Piece(text: Printable.line(text), style: style)) }
  }

  /// Without styles.
  var text: String { pieces.map(\.text).joined() }

  var width: Int { pieces.reduce(0) { $0 + DisplayWidth.of($1.text) } }

  /// The line, or as much of its beginning as fits, with an ellipsis.
  func fitted(to columns: Int) -> StyledLine {
    guard width > columns else { return self }
    var line = StyledLine()
    var left = columns
    for piece in pieces {
      let width = DisplayWidth.of(piece.text)
      // What follows needs at least the column of its ellipsis.
      if width < left {
        line.pieces.append(piece)
        left -= width
      } else {
        line.append(DisplayWidth.fit(piece.text + "…", to: left), piece.style)
        return line
      }
    }
    return line
  }

  func rendered(hasColor: Bool) -> String {
    guard hasColor else { return text }
    return pieces.map { piece in
      piece.style.parameter.map { "\u{1B}[\($0)m\(piece.text)\u{1B}[0m" } ?? piece.text
    }.joined()
  }
}
