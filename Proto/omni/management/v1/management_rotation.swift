// The binding of management.proto, which says what each field means.

public import ProtoCodec

/// The state of a cluster's rotation at one revision.
public struct RotationStatus: Message {
  public var cluster = ""
  public var rotationID = ""
  public var component = SecretComponent.unspecified
  public var state = RotationState.unspecified
  public var phase = RotationPhase.unspecified
  public var status = ""
  public var step = ""
  public var error = ""
  public var revision: UInt64 = 0
  public var machinesDone: Int32 = 0
  public var machinesTotal: Int32 = 0
  public var machines: [MachineRotationStatus] = []
  public var startedAt: Timestamp?
  public var updatedAt: Timestamp?
  public var finishedAt: Timestamp?
  public var oldCAFingerprint = ""
  public var newCAFingerprint = ""
  public var clusterChecks: [RotationCheck] = []
  public var reason = ""
  public var requester = ""
  public var notes: [String] = []
  public var elapsed: ProtoDuration?
  public var nextSteps: [String] = []
  public var lock: Lock?
  public var soakEndsAt: Timestamp?
  public var refusedEverywhereAt: Timestamp?
  public var cause = RotationCause.unspecified
  public var returnedCAs: [ReturnedCA] = []
  public var oldCAAcceptedBy: Int32 = 0
  public var adopted = false
  public var reachability: RotationReachability?
  public var staleTrust: [StaleTrust] = []
  public var stageHold: StageHold?
  public var retiringCredentials: [HeldCredential] = []
  public var retiringCredentialsUnlisted: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationStatus") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "rotation_id", \.rotationID)
    Field.enumeration(3, "component", \.component)
    Field.enumeration(4, "state", \.state)
    Field.enumeration(5, "phase", \.phase)
    Field.string(6, "status", \.status)
    Field.string(7, "step", \.step)
    Field.string(8, "error", \.error)
    Field.uint64(9, "revision", \.revision)
    Field.int32(10, "machines_done", \.machinesDone)
    Field.int32(11, "machines_total", \.machinesTotal)
    Field.message(12, "machines", \.machines)
    Field.message(13, "started_at", \.startedAt)
    Field.message(14, "updated_at", \.updatedAt)
    Field.message(15, "finished_at", \.finishedAt)
    Field.string(16, "old_ca_fingerprint", \.oldCAFingerprint)
    Field.string(17, "new_ca_fingerprint", \.newCAFingerprint)
    Field.message(18, "cluster_checks", \.clusterChecks)
    Field.string(19, "reason", \.reason)
    Field.string(20, "requester", \.requester)
    Field.string(21, "notes", \.notes)
    Field.message(22, "elapsed", \.elapsed)
    Field.string(23, "next_steps", \.nextSteps)
    Field.message(24, "lock", \.lock)
    Field.message(25, "soak_ends_at", \.soakEndsAt)
    Field.message(26, "refused_everywhere_at", \.refusedEverywhereAt)
    Field.enumeration(27, "cause", \.cause)
    Field.message(28, "returned_cas", \.returnedCAs)
    Field.int32(29, "old_ca_accepted_by", \.oldCAAcceptedBy)
    Field.bool(30, "adopted", \.adopted)
    Field.message(31, "reachability", \.reachability)
    Field.message(32, "stale_trust", \.staleTrust)
    Field.message(33, "stage_hold", \.stageHold)
    Field.message(34, "retiring_credentials", \.retiringCredentials)
    Field.int32(35, "retiring_credentials_unlisted", \.retiringCredentialsUnlisted)
  }
}

/// A credential that omnid has handed out: who holds it, not what it is.
public struct HeldCredential: Message {
  public var holder = ""
  public var roles: [String] = []
  public var serial = ""
  public var issuedAt: Timestamp?
  public var expiresAt: Timestamp?
  public var component = SecretComponent.unspecified
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.HeldCredential") {
    Field.string(1, "holder", \.holder)
    Field.string(2, "roles", \.roles)
    Field.string(3, "serial", \.serial)
    Field.message(4, "issued_at", \.issuedAt)
    Field.message(5, "expires_at", \.expiresAt)
    Field.enumeration(6, "component", \.component)
  }
}

/// Who goes on, after a rotation, with what it has retired.
public struct StaleTrust: Message {
  public var component = SecretComponent.unspecified
  public var rotationID = ""
  public var counted = false
  public var countedAt: Timestamp?
  public var total: Int32 = 0
  public var holders: [StaleHolder] = []
  public var detail = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.StaleTrust") {
    Field.enumeration(1, "component", \.component)
    Field.string(2, "rotation_id", \.rotationID)
    Field.bool(3, "counted", \.counted)
    Field.message(4, "counted_at", \.countedAt)
    Field.int32(5, "total", \.total)
    Field.message(6, "holders", \.holders)
    Field.string(7, "detail", \.detail)
  }
}

/// Pods of one owner that have to be restarted, or a Secret that is out of date.
public struct StaleHolder: Message {
  public var kind = ""
  public var namespace = ""
  public var owner = ""
  public var count: Int32 = 0
  public var remedy = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.StaleHolder") {
    Field.string(1, "kind", \.kind)
    Field.string(2, "namespace", \.namespace)
    Field.string(3, "owner", \.owner)
    Field.int32(4, "count", \.count)
    Field.string(5, "remedy", \.remedy)
  }
}

/// A CA that a rotation has retired, and that a machine accepts again.
public struct ReturnedCA: Message {
  public var machine = ""
  public var component = SecretComponent.unspecified
  public var fingerprint = ""
  public var since: Timestamp?
  public var detail = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ReturnedCA") {
    Field.string(1, "machine", \.machine)
    Field.enumeration(2, "component", \.component)
    Field.string(3, "fingerprint", \.fingerprint)
    Field.message(4, "since", \.since)
    Field.string(5, "detail", \.detail)
  }
}

/// One machine's part in the current phase.
public struct MachineRotationStatus: Message {
  public var machine = ""
  public var address = ""
  public var controlPlane = false
  public var phase = RotationPhase.unspecified
  public var state = MachineRotationState.unspecified
  public var checks: [RotationCheck] = []
  public var attempts: Int32 = 0
  public var lastError = ""
  public var waitingSince: Timestamp?
  public var nextAttemptAt: Timestamp?
  public var repetitions: Int32 = 0
  public var stateSince: Timestamp?
  public var lock: Lock?
  public var stageTimes: [RotationStageTimes] = []
  public var port: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.MachineRotationStatus") {
    Field.string(1, "machine", \.machine)
    Field.string(2, "address", \.address)
    Field.bool(3, "control_plane", \.controlPlane)
    Field.enumeration(4, "phase", \.phase)
    Field.enumeration(5, "state", \.state)
    Field.message(6, "checks", \.checks)
    Field.int32(7, "attempts", \.attempts)
    Field.string(8, "last_error", \.lastError)
    Field.message(9, "waiting_since", \.waitingSince)
    Field.message(10, "next_attempt_at", \.nextAttemptAt)
    Field.int32(11, "repetitions", \.repetitions)
    Field.message(12, "state_since", \.stateSince)
    Field.message(13, "lock", \.lock)
    Field.message(14, "stage_times", \.stageTimes)
    Field.int32(15, "port", \.port)
  }
}

/// When a machine had its turn in a phase.
public struct RotationStageTimes: Message {
  public var phase = RotationPhase.unspecified
  public var undone = false
  public var begunAt: Timestamp?
  public var verifiedAt: Timestamp?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationStageTimes") {
    Field.enumeration(1, "phase", \.phase)
    Field.bool(2, "undone", \.undone)
    Field.message(3, "begun_at", \.begunAt)
    Field.message(4, "verified_at", \.verifiedAt)
  }
}

/// Something that has to hold before a rotation goes on.
public struct RotationCheck: Message {
  public var name = ""
  public var state = RotationCheckState.unspecified
  public var detail = ""
  public var since: Timestamp?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationCheck") {
    Field.string(1, "name", \.name)
    Field.enumeration(2, "state", \.state)
    Field.string(3, "detail", \.detail)
    Field.message(4, "since", \.since)
  }
}

/// What a rotation does, step by step. Each step begins when the one before it is done.
public struct RotationPlan: Message {
  public var steps: [RotationPlanStep] = []
  public var notes: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationPlan") {
    Field.message(1, "steps", \.steps)
    Field.string(2, "notes", \.notes)
  }
}

/// Machines that are changed together.
public struct RotationPlanStep: Message {
  public var phase = RotationPhase.unspecified
  public var controlPlane = false
  public var machines: [String] = []
  public var issuing = CertificateAuthorityGeneration.unspecified
  public var accepted: [CertificateAuthorityGeneration] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationPlanStep") {
    Field.enumeration(1, "phase", \.phase)
    Field.bool(2, "control_plane", \.controlPlane)
    Field.string(3, "machines", \.machines)
    Field.enumeration(4, "issuing", \.issuing)
    Field.enumeration(5, "accepted", \.accepted)
  }
}

public struct WatchRotationStatusRequest: Message {
  public var cluster = ""
  public var afterRevision: UInt64 = 0
  public var stopWhenIdle = false
  public var changesOnly = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.WatchRotationStatusRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.uint64(2, "after_revision", \.afterRevision)
    Field.bool(3, "stop_when_idle", \.stopWhenIdle)
    Field.bool(4, "changes_only", \.changesOnly)
  }
}

public struct WatchRotationStatusResponse: Message {
  public var status: RotationStatus?
  public var machinesChangedOnly = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.WatchRotationStatusResponse") {
    Field.message(1, "status", \.status)
    Field.bool(2, "machines_changed_only", \.machinesChangedOnly)
  }
}

/// Which machines of a rotation answer.
public struct RotationReachability: Message {
  public var askedAt: Timestamp?
  public var reachable: Int32 = 0
  public var unreachable: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotationReachability") {
    Field.message(1, "asked_at", \.askedAt)
    Field.int32(2, "reachable", \.reachable)
    Field.string(3, "unreachable", \.unreachable)
  }
}
