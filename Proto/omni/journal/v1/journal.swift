// The binding of journal.proto, which says what each field means.

public import ProtoCodec

extension Journal {
  /// The authority that a record speaks of.
  public struct Component: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let talosCA = Self(rawValue: 1)
    public static let kubernetesCA = Self(rawValue: 2)

    public static let type = EnumType(
      "omni.journal.v1.Component",
      [
        (0, "COMPONENT_UNSPECIFIED"),
        (1, "COMPONENT_TALOS_CA"),
        (2, "COMPONENT_KUBERNETES_CA"),
      ])
  }

  /// A certificate authority. Its private key is encrypted under the server's master key.
  public struct Authority: Message {
    public var certificatePEM = ""
    public var fingerprint = ""
    public var sealedKey: [UInt8] = []
    public var cluster = ""
    public var component = Component.unspecified
    public var rotation = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Authority") {
      Field.string(1, "certificate_pem", \.certificatePEM)
      Field.string(2, "fingerprint", \.fingerprint)
      Field.bytes(3, "sealed_key", \.sealedKey)
      Field.string(4, "cluster", \.cluster)
      Field.enumeration(5, "component", \.component)
      Field.string(6, "rotation", \.rotation)
    }
  }

  /// An authority in use.
  public struct ComponentAuthority: Message {
    public var component = Component.unspecified
    public var authority: Authority?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.ComponentAuthority") {
      Field.enumeration(1, "component", \.component)
      Field.message(2, "authority", \.authority)
    }
  }

  /// A machine of a cluster.
  public struct Machine: Message {
    public var id = ""
    public var address = ""
    public var controlPlane = false
    public var port: Int32 = 0
    public var identity = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Machine") {
      Field.string(1, "id", \.id)
      Field.string(2, "address", \.address)
      Field.bool(3, "control_plane", \.controlPlane)
      Field.int32(4, "port", \.port)
      Field.string(5, "identity", \.identity)
    }
  }

  /// A cluster that was imported. Key: its name.
  public struct ClusterRecord: Message {
    public var name = ""
    public var endpoints: [String] = []
    public var kubernetesEndpoint = ""
    public var talosVersion = ""
    public var machines: [Machine] = []
    public var authorities: [ComponentAuthority] = []
    public var importedAt: Timestamp?
    public var activeRotation = ""
    public var rotationCount: UInt64 = 0
    public var clusterID = ""
    public var lock: Lock?
    public var machineLocks: [MachineLock] = []
    public var marks: [Mark] = []
    public var returned: [Returned] = []
    public var predecessors: [ComponentAuthority] = []
    public var isListed = false
    public var staleTrust: [StaleTrust] = []
    public var heldCredentials: [HeldCredential] = []
    public var unlistedCredentials: [UnlistedCredentials] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.ClusterRecord") {
      Field.string(1, "name", \.name)
      Field.string(2, "endpoints", \.endpoints)
      Field.string(3, "kubernetes_endpoint", \.kubernetesEndpoint)
      Field.string(4, "talos_version", \.talosVersion)
      Field.message(5, "machines", \.machines)
      Field.message(6, "authorities", \.authorities)
      Field.message(7, "imported_at", \.importedAt)
      Field.string(8, "active_rotation", \.activeRotation)
      Field.uint64(9, "rotation_count", \.rotationCount)
      Field.string(10, "cluster_id", \.clusterID)
      Field.message(11, "lock", \.lock)
      Field.message(12, "machine_locks", \.machineLocks)
      Field.message(13, "marks", \.marks)
      Field.message(14, "returned", \.returned)
      Field.message(15, "predecessors", \.predecessors)
      Field.bool(16, "is_listed", \.isListed)
      Field.message(17, "stale_trust", \.staleTrust)
      Field.message(18, "held_credentials", \.heldCredentials)
      Field.message(19, "unlisted_credentials", \.unlistedCredentials)
    }
  }

  /// A retired authority that stands in a machine's configuration again.
  public struct Returned: Message {
    public var machine = ""
    public var component = Component.unspecified
    public var fingerprint = ""
    public var since: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Returned") {
      Field.string(1, "machine", \.machine)
      Field.enumeration(2, "component", \.component)
      Field.string(3, "fingerprint", \.fingerprint)
      Field.message(4, "since", \.since)
    }
  }

  /// Something about a cluster that stays on record until it is dealt with.
  public struct Mark: Message {
    public var kind = ""
    public var since: Timestamp?
    public var pending: [Component] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Mark") {
      Field.string(1, "kind", \.kind)
      Field.message(2, "since", \.since)
      Field.enumeration(3, "pending", \.pending)
    }
  }

  /// Somebody keeps a cluster or a machine from being changed.
  public struct Lock: Message {
    public var requester = ""
    public var lockedAt: Timestamp?
    public var reason = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.Lock") {
      Field.string(1, "requester", \.requester)
      Field.message(2, "locked_at", \.lockedAt)
      Field.string(3, "reason", \.reason)
    }
  }

  /// The lock of a machine.
  public struct MachineLock: Message {
    public var machine = ""
    public var lock: Lock?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.MachineLock") {
      Field.string(1, "machine", \.machine)
      Field.message(2, "lock", \.lock)
    }
  }

  /// The answer that was given to a request. Key: the cluster and the request's id.
  public struct RequestRecord: Message {
    public var id = ""
    public var cluster = ""
    public var component = Component.unspecified
    public var rotation = ""
    public var ordinal: UInt64 = 0
    public var attached = false
    public var answeredAt: Timestamp?
    public var cause = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.RequestRecord") {
      Field.string(1, "id", \.id)
      Field.string(2, "cluster", \.cluster)
      Field.enumeration(3, "component", \.component)
      Field.string(4, "rotation", \.rotation)
      Field.uint64(5, "ordinal", \.ordinal)
      Field.bool(6, "attached", \.attached)
      Field.message(7, "answered_at", \.answeredAt)
      Field.string(8, "cause", \.cause)
    }
  }

  /// That a call began, or how it ended.
  public struct AuditRecord: Message {
    public var recordedAt: Timestamp?
    public var call: UInt64 = 0
    public var caller = ""
    public var method = ""
    public var cluster = ""
    public var request = ""
    public var code = ""
    public var message = ""
    public var previousHash: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.AuditRecord") {
      Field.message(1, "recorded_at", \.recordedAt)
      Field.uint64(2, "call", \.call)
      Field.string(3, "caller", \.caller)
      Field.string(4, "method", \.method)
      Field.string(5, "cluster", \.cluster)
      Field.string(6, "request", \.request)
      Field.string(7, "code", \.code)
      Field.string(8, "message", \.message)
      Field.bytes(9, "previous_hash", \.previousHash)
    }
  }
}

extension SchemaFile {
  public static let journal = SchemaFile(
    "omni/journal/v1/journal.proto", package: "omni.journal.v1",
    dependencies: [.duration, .timestamp],
    messages: [
      Journal.Authority.self, Journal.ComponentAuthority.self, Journal.Machine.self,
      Journal.ClusterRecord.self, Journal.Lock.self, Journal.Mark.self, Journal.Returned.self,
      Journal.StaleTrust.self, Journal.StaleHolder.self,
      Journal.HeldCredential.self, Journal.UnlistedCredentials.self,
      Journal.MachineLock.self,
      Journal.RotationRecord.self, Journal.LeftOutMachine.self, Journal.Assembling.self,
      Journal.Stage.self, Journal.StageHold.self, Journal.Reachability.self,
      Journal.ClosingLook.self,
      Journal.StageTimes.self, Journal.Reversal.self,
      Journal.Soaking.self, Journal.Gating.self,
      Journal.Failed.self,
      Journal.Aborted.self,
      Journal.Fact.self, Journal.MachineProgress.self,
      Journal.Effort.self, Journal.Check.self, Journal.RequestRecord.self,
      Journal.AuditRecord.self, Journal.AccessRecord.self,
    ],
    enums: [
      Journal.Component.self, Journal.Phase.self, Journal.CheckState.self, Journal.Gating.Step.self,
      Journal.MachineProgress.State.self, Journal.AccessKind.self, Journal.AccessRole.self,
    ])
}
