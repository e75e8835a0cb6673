// The binding of management.proto, which says what each field means.

public import ProtoCodec

/// A phase that does not begin before the hooks have agreed.
public struct StageHold: Message {
  public var hook = ""
  public var answer = ""
  public var waitingSince: Timestamp?
  public var nextAttemptAt: Timestamp?
  public var attempts: Int32 = 0
  public var phase = RotationPhase.unspecified
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.StageHold") {
    Field.string(1, "hook", \.hook)
    Field.string(2, "answer", \.answer)
    Field.message(3, "waiting_since", \.waitingSince)
    Field.message(4, "next_attempt_at", \.nextAttemptAt)
    Field.int32(5, "attempts", \.attempts)
    Field.enumeration(6, "phase", \.phase)
  }
}
