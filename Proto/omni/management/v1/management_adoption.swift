// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct AdoptRotationRequest: Message {
  public var cluster = ""
  public var component = SecretComponent.unspecified
  public var dryRun = false
  public var talosconfig = ""
  public var context = ""
  public var endpoints: [String] = []
  public var rollBack = false
  public var removeForeign = false
  public var allowUnmanagedNodes = false
  public var ownerAck = false
  public var reason = ""
  public var maxParallelWorkers: Int32 = 0
  public var heal = false
  public var controlPlanes: [String] = []
  public var workers: [String] = []
  public var leaveOut: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AdoptRotationRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.enumeration(2, "component", \.component)
    Field.bool(3, "dry_run", \.dryRun)
    Field.string(4, "talosconfig", \.talosconfig)
    Field.string(5, "context", \.context)
    Field.string(6, "endpoints", \.endpoints)
    Field.bool(7, "roll_back", \.rollBack)
    Field.bool(8, "remove_foreign", \.removeForeign)
    Field.bool(9, "allow_unmanaged_nodes", \.allowUnmanagedNodes)
    Field.bool(10, "owner_ack", \.ownerAck)
    Field.string(11, "reason", \.reason)
    Field.int32(12, "max_parallel_workers", \.maxParallelWorkers)
    Field.bool(13, "heal", \.heal)
    Field.string(14, "control_planes", \.controlPlanes)
    Field.string(15, "workers", \.workers)
    Field.string(16, "leave_out", \.leaveOut)
  }
}

public struct AdoptRotationResponse: Message {
  public var status: RotationStatus?
  public var attached = false
  public var unfinished: [UnfinishedRotation] = []
  public var rollsBack = false
  public var notes: [String] = []
  public var unclear: [UnclearComponent] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AdoptRotationResponse") {
    Field.message(1, "status", \.status)
    Field.bool(2, "attached", \.attached)
    Field.message(3, "unfinished", \.unfinished)
    Field.bool(4, "rolls_back", \.rollsBack)
    Field.string(5, "notes", \.notes)
    Field.message(6, "unclear", \.unclear)
  }
}

/// A component of which it cannot be told how far a rotation has come.
public struct UnclearComponent: Message {
  public var component = SecretComponent.unspecified
  public var reason = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnclearComponent") {
    Field.enumeration(1, "component", \.component)
    Field.string(2, "reason", \.reason)
  }
}

/// A rotation that somebody else has begun, as the machines show it.
public struct UnfinishedRotation: Message {
  public var component = SecretComponent.unspecified
  public var oldCAFingerprint = ""
  public var newCAFingerprint = ""
  public var phase = RotationPhase.unspecified
  public var finishObstacle = ""
  public var rollBackObstacle = ""
  public var machines: [UnfinishedMachine] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnfinishedRotation") {
    Field.enumeration(1, "component", \.component)
    Field.string(2, "old_ca_fingerprint", \.oldCAFingerprint)
    Field.string(3, "new_ca_fingerprint", \.newCAFingerprint)
    Field.enumeration(4, "phase", \.phase)
    Field.string(5, "finish_obstacle", \.finishObstacle)
    Field.string(6, "roll_back_obstacle", \.rollBackObstacle)
    Field.message(7, "machines", \.machines)
  }
}

/// What one machine holds.
public struct UnfinishedMachine: Message {
  public var machine = ""
  public var controlPlane = false
  public var state = UnfinishedMachineState.unspecified
  public var issuingCAFingerprint = ""
  public var acceptedCAFingerprints: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnfinishedMachine") {
    Field.string(1, "machine", \.machine)
    Field.bool(2, "control_plane", \.controlPlane)
    Field.enumeration(3, "state", \.state)
    Field.string(4, "issuing_ca_fingerprint", \.issuingCAFingerprint)
    Field.string(5, "accepted_ca_fingerprints", \.acceptedCAFingerprints)
  }
}

/// How far a machine is in a rotation that somebody else has begun.
public struct UnfinishedMachineState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let before = Self(rawValue: 1)
  public static let prepared = Self(rawValue: 2)
  public static let rotated = Self(rawValue: 3)
  public static let finished = Self(rawValue: 4)
  public static let irregular = Self(rawValue: 5)

  public static let type = EnumType(
    "omni.management.v1.UnfinishedMachineState",
    [
      (0, "UNFINISHED_MACHINE_STATE_UNSPECIFIED"),
      (1, "UNFINISHED_MACHINE_STATE_BEFORE"),
      (2, "UNFINISHED_MACHINE_STATE_PREPARED"),
      (3, "UNFINISHED_MACHINE_STATE_ROTATED"),
      (4, "UNFINISHED_MACHINE_STATE_FINISHED"),
      (5, "UNFINISHED_MACHINE_STATE_IRREGULAR"),
    ])
}
