// The binding of management.proto, which says what each field means.

public import ProtoCodec

/// A cluster in this server's care.
public struct Cluster: Message {
  public var name = ""
  public var endpoints: [String] = []
  public var kubernetesEndpoint = ""
  public var talosVersion = ""
  public var machines: [Machine] = []
  public var talosCAFingerprint = ""
  public var kubernetesCAFingerprint = ""
  public var importedAt: Timestamp?
  public var rotation: RotationStatus?
  public var authorities: [CertificateAuthority] = []
  public var warnings: [String] = []
  public var lock: Lock?
  public var marks: [ClusterMark] = []
  public var machinesListed = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.Cluster") {
    Field.string(1, "name", \.name)
    Field.string(2, "endpoints", \.endpoints)
    Field.string(3, "kubernetes_endpoint", \.kubernetesEndpoint)
    Field.string(4, "talos_version", \.talosVersion)
    Field.message(5, "machines", \.machines)
    Field.string(6, "talos_ca_fingerprint", \.talosCAFingerprint)
    Field.string(7, "kubernetes_ca_fingerprint", \.kubernetesCAFingerprint)
    Field.message(8, "imported_at", \.importedAt)
    Field.message(9, "rotation", \.rotation)
    Field.message(10, "authorities", \.authorities)
    Field.string(11, "warnings", \.warnings)
    Field.message(12, "lock", \.lock)
    Field.message(13, "marks", \.marks)
    Field.bool(14, "machines_listed", \.machinesListed)
  }
}

/// Something about a cluster that stays on record until it is dealt with.
public struct ClusterMark: Message {
  public var name = ""
  public var since: Timestamp?
  public var pending: [SecretComponent] = []
  public var detail = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ClusterMark") {
    Field.string(1, "name", \.name)
    Field.message(2, "since", \.since)
    Field.enumeration(3, "pending", \.pending)
    Field.string(4, "detail", \.detail)
  }
}

/// A CA certificate of a cluster.
public struct CertificateAuthority: Message {
  public var component = SecretComponent.unspecified
  public var fingerprint = ""
  public var subject = ""
  public var notBefore: Timestamp?
  public var notAfter: Timestamp?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CertificateAuthority") {
    Field.enumeration(1, "component", \.component)
    Field.string(2, "fingerprint", \.fingerprint)
    Field.string(3, "subject", \.subject)
    Field.message(4, "not_before", \.notBefore)
    Field.message(5, "not_after", \.notAfter)
  }
}

/// A machine of a cluster.
public struct Machine: Message {
  public var name = ""
  public var address = ""
  public var controlPlane = false
  public var lock: Lock?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.Machine") {
    Field.string(1, "name", \.name)
    Field.string(2, "address", \.address)
    Field.bool(3, "control_plane", \.controlPlane)
    Field.message(4, "lock", \.lock)
  }
}

/// Somebody keeps a cluster or a machine from being changed.
public struct Lock: Message {
  public var lockedBy = ""
  public var lockedAt: Timestamp?
  public var reason = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.Lock") {
    Field.string(1, "locked_by", \.lockedBy)
    Field.message(2, "locked_at", \.lockedAt)
    Field.string(3, "reason", \.reason)
  }
}
