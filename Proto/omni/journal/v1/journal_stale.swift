public import ProtoCodec

extension Journal {
  /// Who goes on, after a rotation, with what it has retired.
  public struct StaleTrust: Message {
    public var component = Component.unspecified
    public var rotation = ""
    public var changedBy: Timestamp?
    public var isCounted = false
    public var countedAt: Timestamp?
    public var total: UInt64 = 0
    public var holders: [StaleHolder] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.StaleTrust") {
      Field.enumeration(1, "component", \.component)
      Field.string(2, "rotation", \.rotation)
      Field.message(3, "changed_by", \.changedBy)
      Field.bool(4, "is_counted", \.isCounted)
      Field.message(5, "counted_at", \.countedAt)
      Field.uint64(6, "total", \.total)
      Field.message(7, "holders", \.holders)
    }
  }

  /// Pods of one owner, or a Secret.
  public struct StaleHolder: Message {
    public var kind = ""
    public var namespace = ""
    public var owner = ""
    public var count: UInt64 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.StaleHolder") {
      Field.string(1, "kind", \.kind)
      Field.string(2, "namespace", \.namespace)
      Field.string(3, "owner", \.owner)
      Field.uint64(4, "count", \.count)
    }
  }
}
