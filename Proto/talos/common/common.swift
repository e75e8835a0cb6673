// The binding of common.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct Code: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let fatal = Self(rawValue: 0)
    public static let locked = Self(rawValue: 1)
    public static let canceled = Self(rawValue: 2)

    public static let type = EnumType(
      "common.Code",
      [
        (0, "FATAL"),
        (1, "LOCKED"),
        (2, "CANCELED"),
      ])
  }

  public struct Error: Message {
    public var code = Code.fatal
    public var message = ""
    public var details: [AnyMessage] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.Error") {
      Field.enumeration(1, "code", \.code)
      Field.string(2, "message", \.message)
      Field.message(3, "details", \.details)
    }
  }

  /// Which machine a result comes from, where the caller asked for several.
  public struct Metadata: Message {
    public var hostname = ""
    public var error = ""
    public var status: GoogleRPC.Status?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.Metadata") {
      Field.string(1, "hostname", \.hostname)
      Field.string(2, "error", \.error)
      Field.message(3, "status", \.status)
    }
  }

  /// A piece of a file.
  public struct Data: Message {
    public var metadata: Metadata?
    public var bytes: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.Data") {
      Field.message(1, "metadata", \.metadata)
      Field.bytes(2, "bytes", \.bytes)
    }
  }

  public struct ContainerDriver: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let containerd = Self(rawValue: 0)
    public static let cri = Self(rawValue: 1)

    public static let type = EnumType(
      "common.ContainerDriver",
      [
        (0, "CONTAINERD"),
        (1, "CRI"),
      ])
  }

  public struct URL: Message {
    public var fullPath = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.URL") {
      Field.string(1, "full_path", \.fullPath)
    }
  }

  public struct PEMEncodedCertificateAndKey: Message {
    public var crt: [UInt8] = []
    public var key: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.PEMEncodedCertificateAndKey") {
      Field.bytes(1, "crt", \.crt)
      Field.bytes(2, "key", \.key)
    }
  }

  public struct PEMEncodedKey: Message {
    public var key: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.PEMEncodedKey") {
      Field.bytes(1, "key", \.key)
    }
  }

  public struct PEMEncodedCertificate: Message {
    public var crt: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.PEMEncodedCertificate") {
      Field.bytes(1, "crt", \.crt)
    }
  }

  public struct NetIP: Message {
    public var ip: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("common.NetIP") {
      Field.bytes(1, "ip", \.ip)
    }
  }
}

extension SchemaFile {
  public static let talosCommon = SchemaFile(
    "talos/common/common.proto", package: "common",
    dependencies: [.any, .rpcStatus],
    messages: [
      Talos.Error.self, Talos.Metadata.self, Talos.Data.self, Talos.URL.self,
      Talos.PEMEncodedCertificateAndKey.self, Talos.PEMEncodedKey.self,
      Talos.PEMEncodedCertificate.self, Talos.NetIP.self,
    ],
    enums: [
      Talos.Code.self, Talos.ContainerDriver.self,
    ])
}
