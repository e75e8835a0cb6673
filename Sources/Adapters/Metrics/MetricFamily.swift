/// A metric with all of its samples, as an exposition writes them.
public struct MetricFamily: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Goes up and down.
    case gauge
    /// Only rises, from 0 at the start of the process.
    case counter
    /// How often a value was at most so large.
    case histogram
  }

  /// Name and value; the value may be any text.
  public typealias Label = (name: String, value: String)

  /// One line, or for a histogram its lines.
  public struct Sample: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
      case integer(Int)
      case number(Double)
      /// - Parameters:
      ///   - bounds: the upper bounds of the buckets in seconds, rising, without the last, which has none.
      ///   - counts: how many values fell into each bucket alone; one more than bounds.
      ///   - sum: of all values.
      case histogram(bounds: [Double], counts: [Int], sum: Double)
    }

    public var labels: [Label]
    public var value: Value

    public init(_ labels: KeyValuePairs<String, String> = [:], _ value: Value) {
      self.labels = labels.map { ($0.key, $0.value) }
      self.value = value
    }

    public static func == (a: Self, b: Self) -> Bool {
      a.value == b.value && a.labels.count == b.labels.count
        && zip(a.labels, b.labels).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
  }

  /// Without the suffix that samples of a counter have. Letters, digits and `_`.
  public var name: String
  public var kind: Kind
  /// One sentence without its full stop.
  public var help: String
  public var samples: [Sample]

  public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// The unit that the name ends with, which OpenMetrics wants to be told; nil for a plain number.
  var unit: String? { name.hasSuffix("_seconds") ? "seconds" : nil }
}
