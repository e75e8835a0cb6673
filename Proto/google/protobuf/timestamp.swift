public import ProtoCodec

/// A moment: seconds and nanoseconds since 1970-01-01T00:00:00Z (google/protobuf/timestamp.proto).
public struct Timestamp: Message {
  /// Seconds since the epoch; negative before it.
  public var seconds: Int64 = 0
  /// 0 to 999,999,999, counted forward also before the epoch.
  public var nanos: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(seconds: Int64, nanos: Int32 = 0) {
    self.seconds = seconds
    self.nanos = nanos
  }

  public static let fields = FieldTable<Self>("google.protobuf.Timestamp") {
    Field.int64(1, "seconds", \.seconds)
    Field.int32(2, "nanos", \.nanos)
  }
}

extension SchemaFile {
  public static let timestamp = SchemaFile(
    "google/protobuf/timestamp.proto", package: "google.protobuf", messages: [Timestamp.self])
}
