// The binding of machine.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct Version: Message {
    public var metadata: Metadata?
    public var version: VersionInfo?
    public var platform: PlatformInfo?
    public var features: FeaturesInfo?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.Version") {
      Field.message(1, "metadata", \.metadata)
      Field.message(2, "version", \.version)
      Field.message(3, "platform", \.platform)
      Field.message(4, "features", \.features)
    }
  }

  public struct VersionResponse: Message {
    public var messages: [Version] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.VersionResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct VersionInfo: Message {
    public var tag = ""
    public var sha = ""
    public var built = ""
    public var goVersion = ""
    public var os = ""
    public var arch = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.VersionInfo") {
      Field.string(1, "tag", \.tag)
      Field.string(2, "sha", \.sha)
      Field.string(3, "built", \.built)
      Field.string(4, "go_version", \.goVersion)
      Field.string(5, "os", \.os)
      Field.string(6, "arch", \.arch)
    }
  }

  public struct PlatformInfo: Message {
    public var name = ""
    public var mode = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.PlatformInfo") {
      Field.string(1, "name", \.name)
      Field.string(2, "mode", \.mode)
    }
  }

  public struct FeaturesInfo: Message {
    public var rbac = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.FeaturesInfo") {
      Field.bool(1, "rbac", \.rbac)
    }
  }
}
