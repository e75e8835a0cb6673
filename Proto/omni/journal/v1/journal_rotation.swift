// The binding of journal.proto, which says what each field means.

public import ProtoCodec

extension Journal {
  /// A stage of a rotation.
  public struct Phase: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let preRotate = Self(rawValue: 1)
    public static let rotate = Self(rawValue: 2)
    public static let postRotate = Self(rawValue: 3)

    public static let type = EnumType(
      "omni.journal.v1.Phase",
      [
        (0, "PHASE_UNSPECIFIED"),
        (1, "PHASE_PRE_ROTATE"),
        (2, "PHASE_ROTATE"),
        (3, "PHASE_POST_ROTATE"),
      ])
  }

  /// What a check showed.
  public struct CheckState: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let passed = Self(rawValue: 1)
    public static let failed = Self(rawValue: 2)
    public static let waiting = Self(rawValue: 3)
    public static let notApplicable = Self(rawValue: 4)

    public static let type = EnumType(
      "omni.journal.v1.CheckState",
      [
        (0, "CHECK_STATE_UNSPECIFIED"),
        (1, "CHECK_STATE_PASSED"),
        (2, "CHECK_STATE_FAILED"),
        (3, "CHECK_STATE_WAITING"),
        (4, "CHECK_STATE_NOT_APPLICABLE"),
      ])
  }

  /// A rotation. Key: its id; also found by cluster and ordinal.
  public struct RotationRecord: Message {
    public var id = ""
    public var cluster = ""
    public var ordinal: UInt64 = 0
    public var component = Component.unspecified
    public var old: Authority?
    public var new: Authority?
    public var state: State?
    public var notes: [String] = []
    public var reason = ""
    public var requester = ""
    public var startedAt: Timestamp?
    public var updatedAt: Timestamp?
    public var finishedAt: Timestamp?
    public var removeForeign = false
    public var allowUnready = false
    public var allowUnmanagedNodes = false
    public var unready: [String] = []
    public var elapsed: ProtoDuration?
    public var soak: ProtoDuration?
    public var soaksUntilContinued = false
    public var cause = ""
    public var workerLimit: Int32 = 0
    public var ownerAcknowledged = false
    public var adopted = false
    public var tryTimeout: ProtoDuration?
    public var call = ""
    public var leftOut: [LeftOutMachine] = []
    public var unknownFields = UnknownFields()

    public init() {}

    /// Where the rotation is. Never absent.
    public enum State: Sendable, Equatable {
      case assembling(Assembling)
      case rolling(Stage)
      case gating(Gating)
      case succeeded(Stage)
      case failed(Failed)
      case aborted(Aborted)
    }

    public static let fields = FieldTable<Self>("omni.journal.v1.RotationRecord") {
      Field.string(1, "id", \.id)
      Field.string(2, "cluster", \.cluster)
      Field.uint64(3, "ordinal", \.ordinal)
      Field.enumeration(4, "component", \.component)
      Field.message(5, "old", \.old)
      Field.message(6, "new", \.new)
      Field.oneof("state", \.state) {
        OneofCase.message(7, "assembling", State.assembling) {
          if case .assembling(let value) = $0 { value } else { nil }
        }
        OneofCase.message(8, "rolling", State.rolling) {
          if case .rolling(let value) = $0 { value } else { nil }
        }
        OneofCase.message(9, "gating", State.gating) {
          if case .gating(let value) = $0 { value } else { nil }
        }
        OneofCase.message(10, "succeeded", State.succeeded) {
          if case .succeeded(let value) = $0 { value } else { nil }
        }
        OneofCase.message(11, "failed", State.failed) {
          if case .failed(let value) = $0 { value } else { nil }
        }
        OneofCase.message(22, "aborted", State.aborted) {
          if case .aborted(let value) = $0 { value } else { nil }
        }
      }
      Field.string(12, "notes", \.notes)
      Field.string(13, "reason", \.reason)
      Field.string(14, "requester", \.requester)
      Field.message(15, "started_at", \.startedAt)
      Field.message(16, "updated_at", \.updatedAt)
      Field.message(17, "finished_at", \.finishedAt)
      Field.bool(18, "remove_foreign", \.removeForeign)
      Field.bool(19, "allow_unready", \.allowUnready)
      Field.bool(20, "allow_unmanaged_nodes", \.allowUnmanagedNodes)
      Field.string(21, "unready", \.unready)
      Field.message(23, "elapsed", \.elapsed)
      Field.message(24, "soak", \.soak)
      Field.bool(25, "soaks_until_continued", \.soaksUntilContinued)
      Field.string(26, "cause", \.cause)
      Field.int32(27, "worker_limit", \.workerLimit)
      Field.bool(28, "owner_acknowledged", \.ownerAcknowledged)
      Field.bool(29, "adopted", \.adopted)
      Field.message(30, "try_timeout", \.tryTimeout)
      Field.string(31, "call", \.call)
      Field.message(32, "left_out", \.leftOut)
    }
  }

  /// A machine that a person has said is gone.
  public struct LeftOutMachine: Message {
    public var name = ""
    public var identity = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public init(name: String, identity: String) {
      self.name = name
      self.identity = identity
    }

    public static let fields = FieldTable<Self>("omni.journal.v1.LeftOutMachine") {
      Field.string(1, "name", \.name)
      Field.string(2, "identity", \.identity)
    }
  }

  /// No machine has been touched.
  public struct Assembling: Message {
    public var effort: Effort?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Assembling") {
      Field.message(1, "effort", \.effort)
    }
  }

  /// The machines of a stage and how far each is.
  public struct Stage: Message {
    public var phase = Phase.unspecified
    public var machines: [MachineProgress] = []
    public var listing: Effort?
    public var planesConfirmed = false
    public var reversal: Reversal?
    public var soaking: Soaking?
    public var closing: ClosingLook?
    public var reachability: Reachability?
    public var hold: StageHold?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Stage") {
      Field.enumeration(1, "phase", \.phase)
      Field.message(2, "machines", \.machines)
      Field.message(3, "listing", \.listing)
      Field.bool(4, "planes_confirmed", \.planesConfirmed)
      Field.message(5, "reversal", \.reversal)
      Field.message(6, "soaking", \.soaking)
      Field.message(7, "closing", \.closing)
      Field.message(8, "reachability", \.reachability)
      Field.message(9, "hold", \.hold)
    }
  }

  /// Which machines answer.
  public struct Reachability: Message {
    public var at: Timestamp?
    public var unreachable: [String] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Reachability") {
      Field.message(1, "at", \.at)
      Field.string(2, "unreachable", \.unreachable)
    }
  }

  /// What the last look has shown of the cluster.
  public struct ClosingLook: Message {
    public var at: Timestamp?
    public var checks: [Check] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.ClosingLook") {
      Field.message(1, "at", \.at)
      Field.message(2, "checks", \.checks)
    }
  }

  /// The wait before POST_ROTATE.
  public struct Soaking: Message {
    public var endsAt: Timestamp?
    public var over = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Soaking") {
      Field.message(1, "ends_at", \.endsAt)
      Field.bool(2, "over", \.over)
    }
  }

  /// A rotation that had touched machines is going back to the old authority.
  public struct Reversal: Message {
    public var requester = ""
    public var requestedAt: Timestamp?
    public var from = Phase.unspecified
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Reversal") {
      Field.string(1, "requester", \.requester)
      Field.message(2, "requested_at", \.requestedAt)
      Field.enumeration(3, "from", \.from)
    }
  }

  /// The gate after a stage.
  public struct Gating: Message {
    public var stage: Stage?
    public var step = Gating.Step.unspecified
    public var effort: Effort?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Gating") {
      Field.message(1, "stage", \.stage)
      Field.enumeration(2, "step", \.step)
      Field.message(3, "effort", \.effort)
    }

    public struct Step: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let unspecified = Self(rawValue: 0)
      public static let cluster = Self(rawValue: 1)
      public static let members = Self(rawValue: 2)
      public static let renewal = Self(rawValue: 3)
      public static let soak = Self(rawValue: 4)
      public static let hooks = Self(rawValue: 5)

      public static let type = EnumType(
        "omni.journal.v1.Gating.Step",
        [
          (0, "STEP_UNSPECIFIED"),
          (1, "STEP_CLUSTER"),
          (2, "STEP_MEMBERS"),
          (3, "STEP_RENEWAL"),
          (4, "STEP_SOAK"),
          (5, "STEP_HOOKS"),
        ])
    }
  }

  /// It could not be carried out.
  public struct Failed: Message {
    public var reason = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Failed") {
      Field.string(1, "reason", \.reason)
    }
  }

  /// It was cancelled.
  public struct Aborted: Message {
    public var requester = ""
    public var stage: Stage?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Aborted") {
      Field.string(1, "requester", \.requester)
      Field.message(2, "stage", \.stage)
    }
  }
}
