// The binding of machine.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct DmesgRequest: Message {
    public var follow = false
    public var tail = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.DmesgRequest") {
      Field.bool(1, "follow", \.follow)
      Field.bool(2, "tail", \.tail)
    }
  }

  public struct LogsRequest: Message {
    public var namespace = ""
    public var id = ""
    public var driver = ContainerDriver.containerd
    public var follow = false
    public var tailLines: Int32 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.LogsRequest") {
      Field.string(1, "namespace", \.namespace)
      Field.string(2, "id", \.id)
      Field.enumeration(3, "driver", \.driver)
      Field.bool(4, "follow", \.follow)
      Field.int32(5, "tail_lines", \.tailLines)
    }
  }
}
