import Foundation
import Metrics
import Testing

@Suite struct ExpositionTests {
  private let families = [
    MetricFamily(
      "omnid_things", .gauge, "Things, \"so called\"",
      [.init(["name": "a\\b\n\"c\"", "kind": ""], .integer(-1)), .init([:], .number(0.5))]),
    MetricFamily("omnid_events", .counter, "Events", [.init(["kind": "x"], .integer(3))]),
    MetricFamily(
      "omnid_took_seconds", .histogram, "Times",
      [.init(["of": "m"], .histogram(bounds: [0.001, 1], counts: [2, 0, 1], sum: 61.5))]),
    MetricFamily("omnid_none", .gauge, "Nothing yet"),
  ]

  @Test(
    "OpenMetrics: counters have a suffix in their samples alone, units are told, the end is marked")
  func openMetrics() {
    #expect(
      Exposition.openMetrics.text(families) == """
        # HELP omnid_things Things, \\"so called\\"
        # TYPE omnid_things gauge
        omnid_things{name="a\\\\b\\n\\"c\\"",kind=""} -1
        omnid_things 0.5
        # HELP omnid_events Events
        # TYPE omnid_events counter
        omnid_events_total{kind="x"} 3
        # HELP omnid_took_seconds Times
        # TYPE omnid_took_seconds histogram
        # UNIT omnid_took_seconds seconds
        omnid_took_seconds_bucket{of="m",le="0.001"} 2
        omnid_took_seconds_bucket{of="m",le="1.0"} 2
        omnid_took_seconds_bucket{of="m",le="+Inf"} 3
        omnid_took_seconds_sum{of="m"} 61.5
        omnid_took_seconds_count{of="m"} 3
        # EOF

        """)
  }

  @Test("Prometheus' text: counters have their suffix everywhere, no unit and no end is told")
  func prometheus() {
    let text = Exposition.prometheus.text(families)
    #expect(text.contains("# HELP omnid_things Things, \"so called\"\n"))
    #expect(text.contains("# TYPE omnid_events_total counter\nomnid_events_total{kind=\"x\"} 3\n"))
    #expect(!text.contains("# UNIT") && !text.contains("# EOF"))
  }

  @Test("A label cannot begin a line of its own, whatever stands in it")
  func injection() {
    let family = MetricFamily(
      "omnid_x", .gauge, "X", [.init(["a": "\"} 1\nomnid_ready 0\r\n"], .integer(1))])
    #expect(Exposition.prometheus.text([family]).split(separator: "\n").count == 3)
  }

  @Test(
    "OpenMetrics is written for whoever takes it, else Prometheus' text",
    arguments: [
      (nil, Exposition.prometheus), ("*/*", .prometheus), ("text/html", .prometheus),
      ("application/openmetrics-text", .openMetrics),
      ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
      (
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2",
        .openMetrics
      ),
      ("text/plain, Application/OpenMetrics-Text ; version=0.0.1", .openMetrics),
      ("application/openmetrics-text;version=2.0.0", .prometheus),
      ("application/openmetrics-text;q=0, text/plain", .prometheus),
      ("application/openmetrics-texts", .prometheus), (",;,", .prometheus),
    ])
  func negotiation(accept: String?, form: Exposition) {
    #expect(Exposition(accept: accept) == form)
  }

  @Test("promtool finds no fault with the metrics")
  func promtool() throws {
    let text = Exposition.prometheus.text(try SampleMetrics.families())
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/promtool")
    process.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try input.fileHandleForWriting.close()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    #expect(said.isEmpty, "\(String(decoding: said, as: UTF8.self))")
  }
}
