/// How metrics are written for whoever scrapes them.
public enum Exposition: Sendable, CaseIterable {
  /// OpenMetrics 1.0.0.
  case openMetrics
  /// Prometheus' text format, version 0.0.4.
  case prometheus

  public var contentType: String {
    switch self {
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    }
  }

  /// The form that whoever asks takes: OpenMetrics where the field names it with a quality that is not 0, else
  /// Prometheus' text, which every scraper reads.
  ///
  /// - Parameter accept: the request's Accept field (RFC 9110 section 12.5.1).
  public init(accept: String?) {
    let ranges = (accept ?? "").split(separator: ",").map { range in
      range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
    }
    let isTaken = ranges.contains { range in
      guard range.first == "application/openmetrics-text" else { return false }
      let refused = ["q=0", "q=0.0", "q=0.00", "q=0.000"]
      return !range.dropFirst().contains { refused.contains($0) }
        && range.dropFirst().allSatisfy {
          !$0.hasPrefix("version=") || $0 == "version=1.0.0" || $0 == "version=0.0.1"
        }
    }
    self = isTaken ? .openMetrics : .prometheus
  }

  /// The whole text. A family without samples is left out.
  public func text(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.samples.isEmpty { append(family, to: &text) }
    if self == .openMetrics { text += "# EOF\n" }
    return text
  }

  private func append(_ family: MetricFamily, to text: inout String) {
    let total = family.name + "_total"
    // In OpenMetrics the family of a counter has no suffix, in Prometheus' text it has its samples' name.
    let name = self == .prometheus && family.kind == .counter ? total : family.name
    text += "# HELP \(name) \(escaped(family.help, quotes: self == .openMetrics))\n"
    text += "# TYPE \(name) \(family.kind.rawValue)\n"
    if self == .openMetrics, let unit = family.unit { text += "# UNIT \(name) \(unit)\n" }
    for sample in family.samples {
      switch sample.value {
      case .integer(let value):
        line(family.kind == .counter ? total : family.name, sample.labels, "\(value)", &text)
      case .number(let value):
        line(
          family.kind == .counter ? total : family.name, sample.labels, Self.written(value), &text)
      case .histogram(let bounds, let counts, let sum):
        var below = 0
        for (index, count) in counts.enumerated() {
          below += count
          let bound = index < bounds.count ? Self.written(bounds[index]) : "+Inf"
          line(family.name + "_bucket", sample.labels + [("le", bound)], "\(below)", &text)
        }
        line(family.name + "_sum", sample.labels, Self.written(sum), &text)
        line(family.name + "_count", sample.labels, "\(below)", &text)
      }
    }
  }

  private func line(
    _ name: String, _ labels: [MetricFamily.Label], _ value: String, _ text: inout String
  ) {
    text += name
    if !labels.isEmpty {
      let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
      text += "{\(pairs.joined(separator: ","))}"
    }
    text += " \(value)\n"
  }

  private static func written(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }

  /// A label's value cannot end its line or its quotes, whatever stands in it.
  private func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
