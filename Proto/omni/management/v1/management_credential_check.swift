// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct CheckCredentialRequest: Message {
  public var cluster = ""
  public var certificate = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CheckCredentialRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "certificate", \.certificate)
  }
}

public struct CheckCredentialResponse: Message {
  public var cluster = ""
  public var component = SecretComponent.unspecified
  public var authority = CredentialAuthorityState.unspecified
  public var caFingerprint = ""
  public var subject = ""
  public var serial = ""
  public var notBefore: Timestamp?
  public var notAfter: Timestamp?
  public var inTime = false
  public var acceptedBy: Int32 = 0
  public var machines: [CredentialAcceptance] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CheckCredentialResponse") {
    Field.string(1, "cluster", \.cluster)
    Field.enumeration(2, "component", \.component)
    Field.enumeration(3, "authority", \.authority)
    Field.string(4, "ca_fingerprint", \.caFingerprint)
    Field.string(5, "subject", \.subject)
    Field.string(6, "serial", \.serial)
    Field.message(7, "not_before", \.notBefore)
    Field.message(8, "not_after", \.notAfter)
    Field.bool(9, "in_time", \.inTime)
    Field.int32(10, "accepted_by", \.acceptedBy)
    Field.message(11, "machines", \.machines)
  }
}

/// Whether a machine accepts the CA of a credential.
public struct CredentialAcceptance: Message {
  public var machine = ""
  public var controlPlane = false
  public var state = CredentialAcceptanceState.unspecified
  public var detail = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CredentialAcceptance") {
    Field.string(1, "machine", \.machine)
    Field.bool(2, "control_plane", \.controlPlane)
    Field.enumeration(3, "state", \.state)
    Field.string(4, "detail", \.detail)
  }
}

/// What is known of the CA that has signed a credential.
public struct CredentialAuthorityState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let unknown = Self(rawValue: 1)
  public static let inUse = Self(rawValue: 2)
  public static let retired = Self(rawValue: 3)

  public static let type = EnumType(
    "omni.management.v1.CredentialAuthorityState",
    [
      (0, "CREDENTIAL_AUTHORITY_STATE_UNSPECIFIED"),
      (1, "CREDENTIAL_AUTHORITY_STATE_UNKNOWN"),
      (2, "CREDENTIAL_AUTHORITY_STATE_IN_USE"),
      (3, "CREDENTIAL_AUTHORITY_STATE_RETIRED"),
    ])
}

/// Whether a machine accepts the CA of a credential.
public struct CredentialAcceptanceState: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let accepted = Self(rawValue: 1)
  public static let refused = Self(rawValue: 2)
  public static let unknown = Self(rawValue: 3)

  public static let type = EnumType(
    "omni.management.v1.CredentialAcceptanceState",
    [
      (0, "CREDENTIAL_ACCEPTANCE_STATE_UNSPECIFIED"),
      (1, "CREDENTIAL_ACCEPTANCE_STATE_ACCEPTED"),
      (2, "CREDENTIAL_ACCEPTANCE_STATE_REFUSED"),
      (3, "CREDENTIAL_ACCEPTANCE_STATE_UNKNOWN"),
    ])
}
