/// Standard output as a terminal.
struct TerminalScreen: Screen {
  private let stream: StandardStream
  let style: ScreenStyle

  /// Nil when standard output is no terminal, or one that cannot move its cursor.
  init?(_ stream: StandardStream, variable: (String) -> String?) {
    let kind = variable("TERM") ?? ""
    guard stream.isTerminal, kind != "dumb", !kind.isEmpty else { return nil }
    self.stream = stream
    style = Self.style(variable)
  }

  /// `NO_COLOR` (https://no-color.org) and the character set of the locale.
  static func style(_ variable: (String) -> String?) -> ScreenStyle {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty }
    let name = (locale ?? "").lowercased()
    return ScreenStyle(
      hasColor: (variable("NO_COLOR") ?? "").isEmpty,
      hasUnicode: name.hasSuffix("utf-8") || name.hasSuffix("utf8") || name.contains("utf-8@"))
  }

  func write(_ text: String) { stream.write(text) }

  var columns: Int? { stream.columns }

  var isForeground: Bool { stream.isForeground }

  var size: ScreenSize { stream.windowSize }
}
