// The binding of journal.proto, which says what each field means.

public import ProtoCodec

extension Journal {
  /// Something that was seen of a machine before it was changed.
  public struct Fact: Message {
    public var name = ""
    public var value = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Fact") {
      Field.string(1, "name", \.name)
      Field.string(2, "value", \.value)
    }
  }

  /// When a machine had its turn in a stage.
  public struct StageTimes: Message {
    public var phase = Phase.unspecified
    public var backward = false
    public var begunAt: Timestamp?
    public var verifiedAt: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.StageTimes") {
      Field.enumeration(1, "phase", \.phase)
      Field.bool(2, "backward", \.backward)
      Field.message(3, "begun_at", \.begunAt)
      Field.message(4, "verified_at", \.verifiedAt)
    }
  }

  /// A machine within a stage.
  public struct MachineProgress: Message {
    public var machine: Machine?
    public var state = MachineProgress.State.unspecified
    public var effort: Effort?
    public var missingSince: Timestamp?
    public var touched = false
    public var baseline: [Fact] = []
    public var times: [StageTimes] = []
    public var unsent = false
    public var absence = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.MachineProgress") {
      Field.message(1, "machine", \.machine)
      Field.enumeration(2, "state", \.state)
      Field.message(3, "effort", \.effort)
      Field.message(4, "missing_since", \.missingSince)
      Field.bool(5, "touched", \.touched)
      Field.message(6, "baseline", \.baseline)
      Field.message(7, "times", \.times)
      Field.bool(8, "unsent", \.unsent)
      Field.string(9, "absence", \.absence)
    }

    public struct State: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let unspecified = Self(rawValue: 0)
      public static let pending = Self(rawValue: 1)
      public static let applying = Self(rawValue: 2)
      public static let waiting = Self(rawValue: 3)
      public static let verifying = Self(rawValue: 4)
      public static let verified = Self(rawValue: 5)
      public static let preparing = Self(rawValue: 6)
      public static let confirming = Self(rawValue: 7)
      public static let undone = Self(rawValue: 8)
      public static let refreshing = Self(rawValue: 9)
      public static let persisting = Self(rawValue: 10)

      public static let type = EnumType(
        "omni.journal.v1.MachineProgress.State",
        [
          (0, "STATE_UNSPECIFIED"),
          (1, "STATE_PENDING"),
          (2, "STATE_APPLYING"),
          (3, "STATE_WAITING"),
          (4, "STATE_VERIFYING"),
          (5, "STATE_VERIFIED"),
          (6, "STATE_PREPARING"),
          (7, "STATE_CONFIRMING"),
          (8, "STATE_UNDONE"),
          (9, "STATE_REFRESHING"),
          (10, "STATE_PERSISTING"),
        ])
    }
  }

  /// What was tried and what came of it.
  public struct Effort: Message {
    public var attempts: Int32 = 0
    public var failures: Int32 = 0
    public var repetitions: Int32 = 0
    public var checks: [Check] = []
    public var lastError = ""
    public var waitingSince: Timestamp?
    public var nextAttemptAt: Timestamp?
    public var begunAt: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Effort") {
      Field.int32(1, "attempts", \.attempts)
      Field.int32(2, "failures", \.failures)
      Field.int32(3, "repetitions", \.repetitions)
      Field.message(4, "checks", \.checks)
      Field.string(5, "last_error", \.lastError)
      Field.message(6, "waiting_since", \.waitingSince)
      Field.message(7, "next_attempt_at", \.nextAttemptAt)
      Field.message(8, "begun_at", \.begunAt)
    }
  }

  /// The answer to one question asked of a machine or of the cluster.
  public struct Check: Message {
    public var name = ""
    public var state = CheckState.unspecified
    public var detail = ""
    public var since: Timestamp?
    public var lastError = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Check") {
      Field.string(1, "name", \.name)
      Field.enumeration(2, "state", \.state)
      Field.string(3, "detail", \.detail)
      Field.message(4, "since", \.since)
      Field.string(5, "last_error", \.lastError)
    }
  }
}
