internal import Schema

/// The calls of the audit log, a line each.
struct AuditTable {
  private var table = TextTable("TIME", "CALLER", "CALL", "CLUSTER", "OUTCOME", "REQUEST", "RESULT")
  private(set) var isEmpty = true

  mutating func add(begun: AuditEntry, ended: AuditEntry?) {
    isEmpty = false
    table.add(Self.cells(begun, ended))
  }

  /// Nothing where there is no call.
  ///
  /// - Parameter columns: how wide the terminal is; nil: there is none.
  func text(columns: Int?) -> String { isEmpty ? "" : table.text(columns: columns) }

  /// A call by itself.
  static func line(begun: AuditEntry, ended: AuditEntry?, columns: Int? = nil) -> String {
    let text = cells(begun, ended).filter { !$0.isEmpty }.joined(separator: "  ")
    return Paragraph.lines(text, hanging: 4, columns: columns).map { $0 + "\n" }.joined()
  }

  private static func cells(_ begun: AuditEntry, _ ended: AuditEntry?) -> [String] {
    [
      Moment.text(begun.recordedAt), begun.caller, begun.method, begun.cluster,
      ended?.code ?? "NO ANSWER", begun.request, ended?.message ?? "",
    ]
  }
}
