// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct GetTrustBundleRequest: Message {
  public var cluster = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetTrustBundleRequest") {
    Field.string(1, "cluster", \.cluster)
  }
}

public struct GetTrustBundleResponse: Message {
  public var cluster = ""
  public var revision: UInt64 = 0
  public var recordOutdated = false
  public var bundles: [TrustBundle] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetTrustBundleResponse") {
    Field.string(1, "cluster", \.cluster)
    Field.uint64(2, "revision", \.revision)
    Field.bool(3, "record_outdated", \.recordOutdated)
    Field.message(4, "bundles", \.bundles)
  }
}

/// The CAs of one component that have to be trusted.
public struct TrustBundle: Message {
  public var component = SecretComponent.unspecified
  public var rotationID = ""
  public var phase = RotationPhase.unspecified
  public var goingBack = false
  public var authorities: [TrustedCA] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.TrustBundle") {
    Field.enumeration(1, "component", \.component)
    Field.string(2, "rotation_id", \.rotationID)
    Field.enumeration(3, "phase", \.phase)
    Field.bool(4, "going_back", \.goingBack)
    Field.message(5, "authorities", \.authorities)
  }
}

/// A CA that has to be trusted.
public struct TrustedCA: Message {
  public var fingerprint = ""
  public var generation = CertificateAuthorityGeneration.unspecified
  public var issuing = false
  public var certificate = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.TrustedCA") {
    Field.string(1, "fingerprint", \.fingerprint)
    Field.enumeration(2, "generation", \.generation)
    Field.bool(3, "issuing", \.issuing)
    Field.string(4, "certificate", \.certificate)
  }
}
