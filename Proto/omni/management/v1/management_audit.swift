// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct ReadAuditLogRequest: Message {
  public var afterIndex: UInt64 = 0
  public var follow = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ReadAuditLogRequest") {
    Field.uint64(1, "after_index", \.afterIndex)
    Field.bool(2, "follow", \.follow)
  }
}

public struct ReadAuditLogResponse: Message {
  public var entry: AuditEntry?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ReadAuditLogResponse") {
    Field.message(1, "entry", \.entry)
  }
}

public struct AuditEntry: Message {
  public var index: UInt64 = 0
  public var recordedAt: Timestamp?
  public var call: UInt64 = 0
  public var caller = ""
  public var method = ""
  public var cluster = ""
  public var request = ""
  public var code = ""
  public var message = ""
  public var previousHash: [UInt8] = []
  public var hash: [UInt8] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.AuditEntry") {
    Field.uint64(1, "index", \.index)
    Field.message(2, "recorded_at", \.recordedAt)
    Field.uint64(3, "call", \.call)
    Field.string(4, "caller", \.caller)
    Field.string(5, "method", \.method)
    Field.string(6, "cluster", \.cluster)
    Field.string(7, "request", \.request)
    Field.string(8, "code", \.code)
    Field.string(9, "message", \.message)
    Field.bytes(10, "previous_hash", \.previousHash)
    Field.bytes(11, "hash", \.hash)
  }
}
