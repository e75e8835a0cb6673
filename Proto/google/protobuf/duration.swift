public import ProtoCodec

/// A length of time (google/protobuf/duration.proto). Named so that Swift's own `Duration` stays
/// reachable.
public struct ProtoDuration: Message {
  /// Seconds, within ±10,000 years.
  public var seconds: Int64 = 0
  /// -999,999,999 to 999,999,999, of the same sign as the seconds.
  public var nanos: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(seconds: Int64, nanos: Int32 = 0) {
    self.seconds = seconds
    self.nanos = nanos
  }

  public static let fields = FieldTable<Self>("google.protobuf.Duration") {
    Field.int64(1, "seconds", \.seconds)
    Field.int32(2, "nanos", \.nanos)
  }
}

extension SchemaFile {
  public static let duration = SchemaFile(
    "google/protobuf/duration.proto", package: "google.protobuf", messages: [ProtoDuration.self])
}
