public import Orchestrator

/// Why nothing was issued or revoked.
public struct AccessError: Error, Sendable, Hashable {
  public enum Code: Sendable, Hashable, CaseIterable {
    /// Arguments are empty, too long or malformed: see `violations`.
    case invalidArgument
    /// No grant has this id.
    case notFound
    /// Clients are let in by the certificates of another CA, which omnid has no key of.
    case foreignAuthority
    /// The caller can have no link to the dashboard.
    case sessionRefused
    /// There are as many grants, links or sessions as may be.
    case tooMany
    /// The store cannot be written or read.
    case storeUnavailable
    /// What is stored cannot be understood.
    case storeDamaged
    /// A fault of the program itself.
    case internalError
  }

  public var code: Code
  /// What happened and what to do about it; one line, no key material.
  public var message: String
  public var violations: [ArgumentViolation]

  public init(_ code: Code, _ message: String, violations: [ArgumentViolation] = []) {
    self.code = code
    self.message = message
    self.violations = violations
  }

  static func invalid(_ violations: [ArgumentViolation]) -> AccessError {
    AccessError(
      .invalidArgument,
      violations.map { "\($0.argument) \($0.problem)" }.joined(separator: "; "),
      violations: violations)
  }

  init(_ error: StoreError) {
    self.init(error.code == .corrupt ? .storeDamaged : .storeUnavailable, error.message)
  }
}
