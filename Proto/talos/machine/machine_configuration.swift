// The binding of machine.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct ApplyConfigurationRequest: Message {
    public var data: [UInt8] = []
    public var mode = ApplyConfigurationRequest.Mode.reboot
    public var dryRun = false
    public var tryModeTimeout: ProtoDuration?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ApplyConfigurationRequest") {
      Field.bytes(1, "data", \.data)
      Field.enumeration(4, "mode", \.mode)
      Field.bool(5, "dry_run", \.dryRun)
      Field.message(6, "try_mode_timeout", \.tryModeTimeout)
    }

    public struct Mode: ProtoEnum {
      public var rawValue: Int32
      public init(rawValue: Int32) { self.rawValue = rawValue }

      public static let reboot = Self(rawValue: 0)
      public static let auto = Self(rawValue: 1)
      public static let noReboot = Self(rawValue: 2)
      public static let staged = Self(rawValue: 3)
      public static let `try` = Self(rawValue: 4)

      public static let type = EnumType(
        "machine.ApplyConfigurationRequest.Mode",
        [
          (0, "REBOOT"),
          (1, "AUTO"),
          (2, "NO_REBOOT"),
          (3, "STAGED"),
          (4, "TRY"),
        ])
    }
  }

  public struct ApplyConfiguration: Message {
    public var metadata: Metadata?
    public var warnings: [String] = []
    public var mode = ApplyConfigurationRequest.Mode.reboot
    public var modeDetails = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ApplyConfiguration") {
      Field.message(1, "metadata", \.metadata)
      Field.string(2, "warnings", \.warnings)
      Field.enumeration(3, "mode", \.mode)
      Field.string(4, "mode_details", \.modeDetails)
    }
  }

  public struct ApplyConfigurationResponse: Message {
    public var messages: [ApplyConfiguration] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ApplyConfigurationResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct ReadRequest: Message {
    public var path = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.ReadRequest") {
      Field.string(1, "path", \.path)
    }
  }

  public struct GenerateClientConfigurationRequest: Message {
    public var roles: [String] = []
    public var crtTTL: ProtoDuration?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.GenerateClientConfigurationRequest") {
      Field.string(1, "roles", \.roles)
      Field.message(2, "crt_ttl", \.crtTTL)
    }
  }

  public struct GenerateClientConfiguration: Message {
    public var metadata: Metadata?
    public var ca: [UInt8] = []
    public var crt: [UInt8] = []
    public var key: [UInt8] = []
    public var talosconfig: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.GenerateClientConfiguration") {
      Field.message(1, "metadata", \.metadata)
      Field.bytes(2, "ca", \.ca)
      Field.bytes(3, "crt", \.crt)
      Field.bytes(4, "key", \.key)
      Field.bytes(5, "talosconfig", \.talosconfig)
    }
  }

  public struct GenerateClientConfigurationResponse: Message {
    public var messages: [GenerateClientConfiguration] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.GenerateClientConfigurationResponse") {
      Field.message(1, "messages", \.messages)
    }
  }
}
