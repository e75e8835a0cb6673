// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct RotateSecretRequest: Message {
  public var cluster = ""
  public var component = SecretComponent.unspecified
  public var dryRun = false
  public var requestID = ""
  public var reason = ""
  public var removeForeign = false
  public var allowUnready = false
  public var allowUnmanagedNodes = false
  public var soak: ProtoDuration?
  public var soakUntilContinued = false
  public var cause = RotationCause.unspecified
  public var ownerAck = false
  public var maxParallelWorkers: Int32 = 0
  public var tryTimeout: ProtoDuration?
  public var leaveOut: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotateSecretRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.enumeration(2, "component", \.component)
    Field.bool(3, "dry_run", \.dryRun)
    Field.string(4, "request_id", \.requestID)
    Field.string(5, "reason", \.reason)
    Field.bool(6, "remove_foreign", \.removeForeign)
    Field.bool(7, "allow_unready", \.allowUnready)
    Field.bool(8, "allow_unmanaged_nodes", \.allowUnmanagedNodes)
    Field.message(9, "soak", \.soak)
    Field.bool(10, "soak_until_continued", \.soakUntilContinued)
    Field.enumeration(11, "cause", \.cause)
    Field.bool(12, "owner_ack", \.ownerAck)
    Field.int32(13, "max_parallel_workers", \.maxParallelWorkers)
    Field.message(14, "try_timeout", \.tryTimeout)
    Field.string(15, "leave_out", \.leaveOut)
  }
}

public struct RotateSecretResponse: Message {
  public var status: RotationStatus?
  public var attached = false
  public var plan: RotationPlan?
  public var notes: [String] = []
  public var answeredAt: Timestamp?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RotateSecretResponse") {
    Field.message(1, "status", \.status)
    Field.bool(2, "attached", \.attached)
    Field.message(3, "plan", \.plan)
    Field.string(4, "notes", \.notes)
    Field.message(5, "answered_at", \.answeredAt)
  }
}

public struct GetRotationStatusRequest: Message {
  public var cluster = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetRotationStatusRequest") {
    Field.string(1, "cluster", \.cluster)
  }
}

public struct GetRotationStatusResponse: Message {
  public var status: RotationStatus?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetRotationStatusResponse") {
    Field.message(1, "status", \.status)
  }
}

public struct AbortRotationRequest: Message {
  public var cluster = ""
  public var rotationID = ""
  public var leaveOut: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AbortRotationRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "rotation_id", \.rotationID)
    Field.string(3, "leave_out", \.leaveOut)
  }
}

public struct AbortRotationResponse: Message {
  public var status: RotationStatus?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AbortRotationResponse") {
    Field.message(1, "status", \.status)
  }
}

public struct ContinueRotationRequest: Message {
  public var cluster = ""
  public var rotationID = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ContinueRotationRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "rotation_id", \.rotationID)
  }
}

public struct ContinueRotationResponse: Message {
  public var status: RotationStatus?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ContinueRotationResponse") {
    Field.message(1, "status", \.status)
  }
}

public struct ListRotationsRequest: Message {
  public var cluster = ""
  public var pageSize: Int32 = 0
  public var pageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListRotationsRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.int32(2, "page_size", \.pageSize)
    Field.string(3, "page_token", \.pageToken)
  }
}

public struct ListRotationsResponse: Message {
  public var rotations: [RotationStatus] = []
  public var nextPageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListRotationsResponse") {
    Field.message(1, "rotations", \.rotations)
    Field.string(2, "next_page_token", \.nextPageToken)
  }
}

public struct GetRotationReportRequest: Message {
  public var cluster = ""
  public var rotationID = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetRotationReportRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "rotation_id", \.rotationID)
  }
}

public struct GetRotationReportResponse: Message {
  public var report = ""
  public var keyFingerprint = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetRotationReportResponse") {
    Field.string(1, "report", \.report)
    Field.string(2, "key_fingerprint", \.keyFingerprint)
  }
}

public struct ImportClusterRequest: Message {
  public var cluster = ""
  public var talosconfig = ""
  public var context = ""
  public var endpoints: [String] = []
  public var controlPlanes: [String] = []
  public var workers: [String] = []
  public var leaveOut: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ImportClusterRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "talosconfig", \.talosconfig)
    Field.string(3, "context", \.context)
    Field.string(4, "endpoints", \.endpoints)
    Field.string(5, "control_planes", \.controlPlanes)
    Field.string(6, "workers", \.workers)
    Field.string(7, "leave_out", \.leaveOut)
  }
}

public struct ImportClusterResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ImportClusterResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct GetClusterRequest: Message {
  public var cluster = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetClusterRequest") {
    Field.string(1, "cluster", \.cluster)
  }
}

public struct GetClusterResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetClusterResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct ListClustersRequest: Message {
  public var pageSize: Int32 = 0
  public var pageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListClustersRequest") {
    Field.int32(1, "page_size", \.pageSize)
    Field.string(2, "page_token", \.pageToken)
  }
}

public struct ListClustersResponse: Message {
  public var clusters: [Cluster] = []
  public var nextPageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListClustersResponse") {
    Field.message(1, "clusters", \.clusters)
    Field.string(2, "next_page_token", \.nextPageToken)
  }
}

public struct ForgetClusterRequest: Message {
  public var cluster = ""
  public var force = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ForgetClusterRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.bool(2, "force", \.force)
  }
}

public struct ForgetClusterResponse: Message {
  public var lost: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ForgetClusterResponse") {
    Field.string(1, "lost", \.lost)
  }
}
