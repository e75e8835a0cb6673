/// Redraws lines in place: what goes to the terminal, made from what stands there.
struct FramePainter {
  /// The widths of the lines that stand above the cursor.
  private var standing: [Int] = []

  /// - Parameter columns: of the terminal now. A terminal that became narrower has broken long lines
  ///   into several.
  mutating func frame(_ lines: [StyledLine], columns: Int, hasColor: Bool) -> String {
    let rows = standing.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
    standing = lines.map(\.width)
    var frame = "\r"
    if rows > 0 { frame += "\u{1B}[\(rows)A" }
    // The whole line is erased first: a terminal that has broken it remembers that otherwise.
    for line in lines { frame += "\u{1B}[2K\(line.rendered(hasColor: hasColor))\n" }
    // Whatever a longer frame has left behind.
    return frame + "\u{1B}[J"
  }

  /// What stands there stays; the next frame begins below it.
  mutating func leave() { standing = [] }

  static let eraseLine = "\r\u{1B}[2K"
  static let hideCursor = "\u{1B}[?25l"
  static let showCursor = "\u{1B}[?25h"
}
