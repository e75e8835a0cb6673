import Foundation
import Metrics
import Testing

/// The files that come with the metrics speak of those that there are.
@Suite struct ShippedFilesTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  /// The names that a query can use.
  private func names() throws -> Set<String> {
    Set(
      try SampleMetrics.families().flatMap { family in
        switch family.kind {
        case .gauge: [family.name]
        case .counter: [family.name + "_total"]
        case .histogram: ["_bucket", "_sum", "_count"].map { family.name + $0 }
        }
      })
  }

  private func used(_ text: String) -> Set<String> {
    Set(text.matches(of: /\bomnid_[a-z0-9_]+/).map { String($0.output) })
  }

  @Test("Every query of the dashboard and of the alert rules uses metrics that there are")
  func queries() throws {
    let names = try names()
    let document = try JSONSerialization.jsonObject(
      with: Data(text("packaging/monitoring/omnid-dashboard.json").utf8))
    var queries: [String] = []
    gather(document, &queries)
    #expect(queries.count > 20)
    let rules = try text("packaging/monitoring/omnid.rules.yml").split(separator: "\n")
      .filter { !$0.hasPrefix("#") && !$0.contains("description:") }.joined(separator: "\n")
    for query in queries + [rules] {
      let unknown = used(query).subtracting(names)
      #expect(unknown.isEmpty, "\(unknown.sorted()) in \(query)")
    }
  }

  @Test("Every metric is on the dashboard")
  func shown() throws {
    let document = try text("packaging/monitoring/omnid-dashboard.json")
    let used = used(document)
    for family in try SampleMetrics.families() {
      #expect(used.contains { $0.hasPrefix(family.name) }, "\(family.name) is on no panel")
    }
  }

  private func gather(_ value: Any, _ queries: inout [String]) {
    if let object = value as? [String: Any] {
      for (key, value) in object {
        if let text = value as? String, key == "expr" || key == "definition" {
          queries.append(text)
        } else {
          gather(value, &queries)
        }
      }
    } else if let list = value as? [Any] {
      for value in list { gather(value, &queries) }
    }
  }

  @Test("docs/monitoring.md has the table of the metrics as they are")
  func documented() throws {
    let rows = try text("docs/monitoring.md").split(separator: "\n")
      .filter { $0.hasPrefix("| `omnid_") }.map(String.init)
    let expected = try SampleMetrics.families().map { family in
      let labels = Set(family.samples.flatMap { $0.labels.map(\.name) }).sorted()
        .map { "`\($0)`" }.joined(separator: ", ")
      let name = family.kind == .counter ? family.name + "_total" : family.name
      return "| `\(name)` | \(family.kind.rawValue) | \(labels) | \(family.help) |"
    }
    #expect(rows == expected, "\(expected.joined(separator: "\n"))")
  }
}
