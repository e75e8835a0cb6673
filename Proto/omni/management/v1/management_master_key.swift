// The binding of management.proto, which says what each field means: the server's master key.

public import ProtoCodec

public struct ChangeMasterKeyRequest: Message {
  public var newMasterKeyFile = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ChangeMasterKeyRequest") {
    Field.string(1, "new_master_key_file", \.newMasterKeyFile)
  }
}

public struct ChangeMasterKeyResponse: Message {
  public var keyID = ""
  public var reportKeyFingerprint = ""
  public var notes: [String] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ChangeMasterKeyResponse") {
    Field.string(1, "key_id", \.keyID)
    Field.string(2, "report_key_fingerprint", \.reportKeyFingerprint)
    Field.string(3, "notes", \.notes)
  }
}
