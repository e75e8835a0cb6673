internal import Schema

/// What a person should do when a rotation is over, as the server has it.
enum NextSteps {
  /// Nothing when there is nothing to do.
  static func text(_ status: RotationStatus, _ session: Session) -> String {
    guard !status.nextSteps.isEmpty else { return "" }
    return "what comes next:\n"
      + ListText.text(status.nextSteps, columns: session.surroundings.output.columns)
  }
}

/// Lines for people, each an item of a list.
enum ListText {
  static func text(_ items: [String], columns: Int?) -> String {
    items.flatMap { Paragraph.lines("- \($0)", indent: 2, hanging: 2, columns: columns) }
      .map { $0 + "\n" }.joined()
  }
}
