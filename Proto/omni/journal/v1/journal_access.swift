// The binding of journal.proto, which says what each field means.

public import ProtoCodec

extension Journal {
  /// What an access record lets its holder in by.
  public struct AccessKind: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let certificate = Self(rawValue: 1)
    public static let token = Self(rawValue: 2)

    public static let type = EnumType(
      "omni.journal.v1.AccessKind",
      [
        (0, "ACCESS_KIND_UNSPECIFIED"),
        (1, "ACCESS_KIND_CERTIFICATE"),
        (2, "ACCESS_KIND_TOKEN"),
      ])
  }

  /// What its holder may do.
  public struct AccessRole: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let reader = Self(rawValue: 1)
    public static let `operator` = Self(rawValue: 2)
    public static let admin = Self(rawValue: 3)

    public static let type = EnumType(
      "omni.journal.v1.AccessRole",
      [
        (0, "ACCESS_ROLE_UNSPECIFIED"),
        (1, "ACCESS_ROLE_READER"),
        (2, "ACCESS_ROLE_OPERATOR"),
        (3, "ACCESS_ROLE_ADMIN"),
      ])
  }

  /// Something that lets its holder call from elsewhere, or the CA that signs client certificates. Key: its id.
  public struct AccessRecord: Message {
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
    public var tokenHash: [UInt8] = []
    public var certificatePEM = ""
    public var sealedKey: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.AccessRecord") {
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
      Field.bytes(11, "token_hash", \.tokenHash)
      Field.string(12, "certificate_pem", \.certificatePEM)
      Field.bytes(13, "sealed_key", \.sealedKey)
    }
  }
}
