// The binding of management.proto, which says what each field means.

public import ProtoCodec

/// What a caller may do. Each role may do what the roles before it may.
public struct AccessRole: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let reader = Self(rawValue: 1)
  public static let `operator` = Self(rawValue: 2)
  public static let admin = Self(rawValue: 3)

  public static let type = EnumType(
    "omni.management.v1.AccessRole",
    [
      (0, "ACCESS_ROLE_UNSPECIFIED"),
      (1, "ACCESS_ROLE_READER"),
      (2, "ACCESS_ROLE_OPERATOR"),
      (3, "ACCESS_ROLE_ADMIN"),
    ])
}

/// What lets a caller in.
public struct AccessKind: ProtoEnum {
  public var rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let unspecified = Self(rawValue: 0)
  public static let certificate = Self(rawValue: 1)
  public static let token = Self(rawValue: 2)

  public static let type = EnumType(
    "omni.management.v1.AccessKind",
    [
      (0, "ACCESS_KIND_UNSPECIFIED"),
      (1, "ACCESS_KIND_CERTIFICATE"),
      (2, "ACCESS_KIND_TOKEN"),
    ])
}

/// Something that lets its holder call from elsewhere, and can be revoked.
public struct AccessGrant: Message {
  public var id = ""
  public var kind = AccessKind.unspecified
  public var name = ""
  public var role = AccessRole.unspecified
  public var clusters: [String] = []
  public var issuedAt: Timestamp?
  public var expiresAt: Timestamp?
  public var issuedBy = ""
  public var revokedAt: Timestamp?
  public var revokedBy = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AccessGrant") {
    Field.string(1, "id", \.id)
    Field.enumeration(2, "kind", \.kind)
    Field.string(3, "name", \.name)
    Field.enumeration(4, "role", \.role)
    Field.string(5, "clusters", \.clusters)
    Field.message(6, "issued_at", \.issuedAt)
    Field.message(7, "expires_at", \.expiresAt)
    Field.string(8, "issued_by", \.issuedBy)
    Field.message(9, "revoked_at", \.revokedAt)
    Field.string(10, "revoked_by", \.revokedBy)
  }
}

public struct IssueCertificateRequest: Message {
  public var name = ""
  public var role = AccessRole.unspecified
  public var ttl: ProtoDuration?
  public var certificateRequest = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.IssueCertificateRequest") {
    Field.string(1, "name", \.name)
    Field.enumeration(2, "role", \.role)
    Field.message(3, "ttl", \.ttl)
    Field.string(4, "certificate_request", \.certificateRequest)
  }
}

public struct IssueCertificateResponse: Message {
  public var grant: AccessGrant?
  public var certificate = ""
  public var serverCA = ""
  public var endpoints: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.IssueCertificateResponse") {
    Field.message(1, "grant", \.grant)
    Field.string(2, "certificate", \.certificate)
    Field.string(3, "server_ca", \.serverCA)
    Field.string(4, "endpoints", \.endpoints)
  }
}

public struct IssueTokenRequest: Message {
  public var name = ""
  public var role = AccessRole.unspecified
  public var ttl: ProtoDuration?
  public var clusters: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.IssueTokenRequest") {
    Field.string(1, "name", \.name)
    Field.enumeration(2, "role", \.role)
    Field.message(3, "ttl", \.ttl)
    Field.string(4, "clusters", \.clusters)
  }
}

public struct IssueTokenResponse: Message {
  public var grant: AccessGrant?
  public var token = ""
  public var serverCA = ""
  public var endpoints: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.IssueTokenResponse") {
    Field.message(1, "grant", \.grant)
    Field.string(2, "token", \.token)
    Field.string(3, "server_ca", \.serverCA)
    Field.string(4, "endpoints", \.endpoints)
  }
}

public struct ListAccessRequest: Message {
  public var pageSize: Int32 = 0
  public var pageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListAccessRequest") {
    Field.int32(1, "page_size", \.pageSize)
    Field.string(2, "page_token", \.pageToken)
  }
}

public struct ListAccessResponse: Message {
  public var grants: [AccessGrant] = []
  public var nextPageToken = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ListAccessResponse") {
    Field.message(1, "grants", \.grants)
    Field.string(2, "next_page_token", \.nextPageToken)
  }
}

public struct RevokeAccessRequest: Message {
  public var id = ""
  public var foreignSerial = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RevokeAccessRequest") {
    Field.string(1, "id", \.id)
    Field.bool(2, "foreign_serial", \.foreignSerial)
  }
}

public struct RevokeAccessResponse: Message {
  public var grant: AccessGrant?
  public var endedCalls: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.RevokeAccessResponse") {
    Field.message(1, "grant", \.grant)
    Field.int32(2, "ended_calls", \.endedCalls)
  }
}
