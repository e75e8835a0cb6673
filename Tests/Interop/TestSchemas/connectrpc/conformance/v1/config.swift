// The binding of config.proto, which says what each field means.

public import ProtoCodec

extension Conformance {
  public struct HTTPVersion: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let v1 = Self(rawValue: 1)
    public static let v2 = Self(rawValue: 2)
    public static let v3 = Self(rawValue: 3)

    public static let type = EnumType(
      "connectrpc.conformance.v1.HTTPVersion",
      [
        (0, "HTTP_VERSION_UNSPECIFIED"),
        (1, "HTTP_VERSION_1"),
        (2, "HTTP_VERSION_2"),
        (3, "HTTP_VERSION_3"),
      ])
  }

  public struct RPCProtocol: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let connect = Self(rawValue: 1)
    public static let grpc = Self(rawValue: 2)
    public static let grpcWeb = Self(rawValue: 3)

    public static let type = EnumType(
      "connectrpc.conformance.v1.Protocol",
      [
        (0, "PROTOCOL_UNSPECIFIED"),
        (1, "PROTOCOL_CONNECT"),
        (2, "PROTOCOL_GRPC"),
        (3, "PROTOCOL_GRPC_WEB"),
      ])
  }

  public struct Codec: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let proto = Self(rawValue: 1)
    public static let json = Self(rawValue: 2)
    public static let text = Self(rawValue: 3)

    public static let type = EnumType(
      "connectrpc.conformance.v1.Codec",
      [
        (0, "CODEC_UNSPECIFIED"),
        (1, "CODEC_PROTO"),
        (2, "CODEC_JSON"),
        (3, "CODEC_TEXT"),
      ])
  }

  public struct Compression: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let identity = Self(rawValue: 1)
    public static let gzip = Self(rawValue: 2)
    public static let br = Self(rawValue: 3)
    public static let zstd = Self(rawValue: 4)
    public static let deflate = Self(rawValue: 5)
    public static let snappy = Self(rawValue: 6)

    public static let type = EnumType(
      "connectrpc.conformance.v1.Compression",
      [
        (0, "COMPRESSION_UNSPECIFIED"),
        (1, "COMPRESSION_IDENTITY"),
        (2, "COMPRESSION_GZIP"),
        (3, "COMPRESSION_BR"),
        (4, "COMPRESSION_ZSTD"),
        (5, "COMPRESSION_DEFLATE"),
        (6, "COMPRESSION_SNAPPY"),
      ])
  }

  public struct StreamType: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let unary = Self(rawValue: 1)
    public static let clientStream = Self(rawValue: 2)
    public static let serverStream = Self(rawValue: 3)
    public static let halfDuplexBidiStream = Self(rawValue: 4)
    public static let fullDuplexBidiStream = Self(rawValue: 5)

    public static let type = EnumType(
      "connectrpc.conformance.v1.StreamType",
      [
        (0, "STREAM_TYPE_UNSPECIFIED"),
        (1, "STREAM_TYPE_UNARY"),
        (2, "STREAM_TYPE_CLIENT_STREAM"),
        (3, "STREAM_TYPE_SERVER_STREAM"),
        (4, "STREAM_TYPE_HALF_DUPLEX_BIDI_STREAM"),
        (5, "STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM"),
      ])
  }

  public struct Code: ProtoEnum {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unspecified = Self(rawValue: 0)
    public static let canceled = Self(rawValue: 1)
    public static let unknown = Self(rawValue: 2)
    public static let invalidArgument = Self(rawValue: 3)
    public static let deadlineExceeded = Self(rawValue: 4)
    public static let notFound = Self(rawValue: 5)
    public static let alreadyExists = Self(rawValue: 6)
    public static let permissionDenied = Self(rawValue: 7)
    public static let resourceExhausted = Self(rawValue: 8)
    public static let failedPrecondition = Self(rawValue: 9)
    public static let aborted = Self(rawValue: 10)
    public static let outOfRange = Self(rawValue: 11)
    public static let unimplemented = Self(rawValue: 12)
    public static let `internal` = Self(rawValue: 13)
    public static let unavailable = Self(rawValue: 14)
    public static let dataLoss = Self(rawValue: 15)
    public static let unauthenticated = Self(rawValue: 16)

    public static let type = EnumType(
      "connectrpc.conformance.v1.Code",
      [
        (0, "CODE_UNSPECIFIED"),
        (1, "CODE_CANCELED"),
        (2, "CODE_UNKNOWN"),
        (3, "CODE_INVALID_ARGUMENT"),
        (4, "CODE_DEADLINE_EXCEEDED"),
        (5, "CODE_NOT_FOUND"),
        (6, "CODE_ALREADY_EXISTS"),
        (7, "CODE_PERMISSION_DENIED"),
        (8, "CODE_RESOURCE_EXHAUSTED"),
        (9, "CODE_FAILED_PRECONDITION"),
        (10, "CODE_ABORTED"),
        (11, "CODE_OUT_OF_RANGE"),
        (12, "CODE_UNIMPLEMENTED"),
        (13, "CODE_INTERNAL"),
        (14, "CODE_UNAVAILABLE"),
        (15, "CODE_DATA_LOSS"),
        (16, "CODE_UNAUTHENTICATED"),
      ])
  }
}

extension SchemaFile {
  public static let conformanceConfig = SchemaFile(
    "connectrpc/conformance/v1/config.proto", package: "connectrpc.conformance.v1",
    messages: [
      Conformance.Config.self, Conformance.Features.self, Conformance.ConfigCase.self,
      Conformance.TLSCreds.self,
    ],
    enums: [
      Conformance.HTTPVersion.self, Conformance.RPCProtocol.self, Conformance.Codec.self,
      Conformance.Compression.self, Conformance.StreamType.self, Conformance.Code.self,
    ])
}
