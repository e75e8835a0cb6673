import Foundation

/// The seed of a random test: another one in each run, so that runs add up, and given back by
/// `OMNID_TEST_SEED` to repeat a run that failed.
///
/// A test that draws from it names it where it fails: `#expect(…, "\(seed)")`.
public struct RandomSeed: Sendable, CustomStringConvertible {
  public static let variable = "OMNID_TEST_SEED"
  public let value: UInt64

  public init() {
    let given = ProcessInfo.processInfo.environment[Self.variable].flatMap { UInt64($0) }
    value = given ?? UInt64.random(in: 1...UInt64(UInt32.max))
  }

  public init(_ value: UInt64) { self.value = value }

  public var generator: SeededGenerator { SeededGenerator(seed: value) }

  public var description: String { "repeat it with \(Self.variable)=\(value)" }
}
