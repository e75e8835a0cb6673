/// Redraws lines in place: what goes to the terminal, made from what stands there.
///
/// Between two frames the cursor stands in an empty line above the frame. What another program writes to the terminal
/// in between goes into that line and stays: the next frame begins where that program has left the cursor, and what is
/// below the cursor is overwritten. A terminal that is resized breaks or joins lines below the cursor alone, so nothing
/// has to be known of their widths.
struct FramePainter {
  /// The frame, and the way back above it.
  ///
  /// - Parameter lines: none as wide as the terminal, and fewer than its rows.
  func frame(_ lines: [StyledLine], hasColor: Bool) -> String {
    guard !lines.isEmpty else { return "\(Self.eraseLine)\u{1B}[J" }
    return "\(Self.eraseLine)\n\(text(lines, hasColor))\u{1B}[J\r\u{1B}[\(lines.count)A"
  }

  /// The frame as it stays there: without the empty line, and with the cursor below it.
  func last(_ lines: [StyledLine], hasColor: Bool) -> String {
    lines.isEmpty ? "\(Self.eraseLine)\u{1B}[J" : "\r\(text(lines, hasColor))\u{1B}[J\n"
  }

  /// The whole line is erased first: a terminal that has broken it remembers that otherwise.
  private func text(_ lines: [StyledLine], _ hasColor: Bool) -> String {
    lines.map { "\u{1B}[2K\($0.rendered(hasColor: hasColor))" }.joined(separator: "\n")
  }

  private static let eraseLine = "\r\u{1B}[2K"
  static let hideCursor = "\u{1B}[?25l"
  static let showCursor = "\u{1B}[?25h"
}
