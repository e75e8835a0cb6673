// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct TalosconfigRequest: Message {
  public var cluster = ""
  public var roles: [String] = []
  public var ttl: ProtoDuration?
  public var breakGlass = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.TalosconfigRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "roles", \.roles)
    Field.message(3, "ttl", \.ttl)
    Field.bool(4, "break_glass", \.breakGlass)
  }
}

public struct TalosconfigResponse: Message {
  public var talosconfig = ""
  public var expiresAt: Timestamp?
  public var serial = ""
  public var caFingerprint = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.TalosconfigResponse") {
    Field.string(1, "talosconfig", \.talosconfig)
    Field.message(2, "expires_at", \.expiresAt)
    Field.string(3, "serial", \.serial)
    Field.string(4, "ca_fingerprint", \.caFingerprint)
  }
}

public struct KubeconfigRequest: Message {
  public var cluster = ""
  public var ttl: ProtoDuration?
  public var breakGlass = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.KubeconfigRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.message(2, "ttl", \.ttl)
    Field.bool(3, "break_glass", \.breakGlass)
  }
}

public struct KubeconfigResponse: Message {
  public var kubeconfig = ""
  public var expiresAt: Timestamp?
  public var serial = ""
  public var caFingerprint = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.KubeconfigResponse") {
    Field.string(1, "kubeconfig", \.kubeconfig)
    Field.message(2, "expires_at", \.expiresAt)
    Field.string(3, "serial", \.serial)
    Field.string(4, "ca_fingerprint", \.caFingerprint)
  }
}

public struct ExportSecretsRequest: Message {
  public var cluster = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ExportSecretsRequest") {
    Field.string(1, "cluster", \.cluster)
  }
}

public struct ExportSecretsResponse: Message {
  public var secretsBundle = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ExportSecretsResponse") {
    Field.string(1, "secrets_bundle", \.secretsBundle)
  }
}

public struct ExportRetiredCARequest: Message {
  public var cluster = ""
  public var rotationID = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ExportRetiredCARequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "rotation_id", \.rotationID)
  }
}

public struct ExportRetiredCAResponse: Message {
  public var fingerprint = ""
  public var certificate = ""
  public var privateKey = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ExportRetiredCAResponse") {
    Field.string(1, "fingerprint", \.fingerprint)
    Field.string(2, "certificate", \.certificate)
    Field.string(3, "private_key", \.privateKey)
  }
}
