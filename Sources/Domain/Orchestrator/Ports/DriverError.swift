/// Why a driver could not do what it was asked.
public struct DriverError: Error, Sendable, Hashable {
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// No answer: the machine is down, or the network is.
    case unreachable
    /// The machine answered and said no, for now (busy, another change in progress).
    case refused
    /// The machine does not accept our certificate.
    case unauthenticated
    /// A certificate of one side is out of its time to the other: one of their clocks is wrong.
    case clock
    /// It accepts the certificate, but not for this.
    case permissionDenied
    /// The machine's configuration cannot be edited, or it rejects the edited one.
    case invalidConfig
    /// Talos before 1.7.
    case unsupportedVersion
    /// Somebody else changed the configuration at the same time.
    case conflict
    /// What the caller gave cannot be used.
    case invalidInput
    /// The driver itself is at fault.
    case internalError
  }

  public var code: Code
  /// What happened and what to do about it; holds no key material.
  public var message: String
  /// Of `apply`: whether a configuration went out to the machine, which may hold it therefore.
  public var sent = false

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
