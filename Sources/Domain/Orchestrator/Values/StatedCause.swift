import Rotation

/// What a request for a rotation said to have happened.
public enum StatedCause: Sendable, Hashable {
  /// The request was answered before this was kept.
  case notKept
  case none
  case cause(RotationCause)

  public init(_ cause: RotationCause?) { self = cause.map { .cause($0) } ?? .none }

  /// Whether a request may be the repetition of the one that said this. What was not kept is that of the rotation that the
  /// request began, if that has one, and else anything: a job that is repeated after an upgrade says what it said before.
  ///
  /// - Parameter begun: whether the request began the rotation.
  func mayBe(_ cause: RotationCause?, of rotation: RotationRecord, begun: Bool) -> Bool {
    switch self {
    case .notKept: !begun || rotation.cause == nil || rotation.cause == cause
    case .none: cause == nil
    case .cause(let said): said == cause
    }
  }
}
