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
  var text: String { isEmpty ? "" : table.text }

  /// A call by itself.
  static func line(begun: AuditEntry, ended: AuditEntry?) -> String {
    Printable.line(cells(begun, ended).filter { !$0.isEmpty }.joined(separator: "  ")) + "\n"
  }

  private static func cells(_ begun: AuditEntry, _ ended: AuditEntry?) -> [String] {
    [
      Moment.text(begun.recordedAt), begun.caller, begun.method, begun.cluster,
      ended?.code ?? "NO ANSWER", begun.request, ended?.message ?? "",
    ]
  }
}
