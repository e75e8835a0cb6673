public import ProtoCodec

extension Journal {
  /// A credential that was handed out: who holds it, not what it is.
  public struct HeldCredential: Message {
    public var component = Component.unspecified
    public var authority = ""
    public var holder = ""
    public var roles: [String] = []
    public var serial = ""
    public var issuedAt: Timestamp?
    public var expiresAt: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.HeldCredential") {
      Field.enumeration(1, "component", \.component)
      Field.string(2, "authority", \.authority)
      Field.string(3, "holder", \.holder)
      Field.string(4, "roles", \.roles)
      Field.string(5, "serial", \.serial)
      Field.message(6, "issued_at", \.issuedAt)
      Field.message(7, "expires_at", \.expiresAt)
    }
  }

  /// Credentials of one authority of which the number alone is kept.
  public struct UnlistedCredentials: Message {
    public var authority = ""
    public var count: UInt64 = 0
    public var endBy: Timestamp?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.UnlistedCredentials") {
      Field.string(1, "authority", \.authority)
      Field.uint64(2, "count", \.count)
      Field.message(3, "end_by", \.endBy)
    }
  }
}
