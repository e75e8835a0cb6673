// The binding of service.proto, which says what each field means.

public import ProtoCodec
public import Schema

extension Conformance {
  /// For the reference client alone.
  public struct RawHTTPRequest: Message {
    public var verb = ""
    public var uri = ""
    public var headers: [Header] = []
    public var rawQueryParams: [Header] = []
    public var encodedQueryParams: [RawHTTPRequest.EncodedQueryParam] = []
    public var body: Body?
    public var unknownFields = UnknownFields()

    public init() {}

    public enum Body: Sendable, Equatable {
      case unary(MessageContents)
      case stream(StreamContents)
    }

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.RawHTTPRequest") {
      Field.string(1, "verb", \.verb)
      Field.string(2, "uri", \.uri)
      Field.message(3, "headers", \.headers)
      Field.message(4, "raw_query_params", \.rawQueryParams)
      Field.message(5, "encoded_query_params", \.encodedQueryParams)
      Field.oneof("body", \.body) {
        OneofCase.message(6, "unary", Body.unary) {
          if case .unary(let value) = $0 { value } else { nil }
        }
        OneofCase.message(7, "stream", Body.stream) {
          if case .stream(let value) = $0 { value } else { nil }
        }
      }
    }

    public struct EncodedQueryParam: Message {
      public var name = ""
      public var value: MessageContents?
      public var base64Encode = false
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>(
        "connectrpc.conformance.v1.RawHTTPRequest.EncodedQueryParam"
      ) {
        Field.string(1, "name", \.name)
        Field.message(2, "value", \.value)
        Field.bool(3, "base64_encode", \.base64Encode)
      }
    }
  }

  /// A message's bytes, compressed as said.
  public struct MessageContents: Message {
    public var data: Data?
    public var compression = Compression.unspecified
    public var unknownFields = UnknownFields()

    public init() {}

    public enum Data: Sendable, Equatable {
      case binary([UInt8])
      case text(String)
      case binaryMessage(AnyMessage)
    }

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.MessageContents") {
      Field.oneof("data", \.data) {
        OneofCase.bytes(1, "binary", Data.binary) {
          if case .binary(let value) = $0 { value } else { nil }
        }
        OneofCase.string(2, "text", Data.text) {
          if case .text(let value) = $0 { value } else { nil }
        }
        OneofCase.message(3, "binary_message", Data.binaryMessage) {
          if case .binaryMessage(let value) = $0 { value } else { nil }
        }
      }
      Field.enumeration(4, "compression", \.compression)
    }
  }

  /// Messages in envelopes of five bytes.
  public struct StreamContents: Message {
    public var items: [StreamContents.StreamItem] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.StreamContents") {
      Field.message(1, "items", \.items)
    }

    public struct StreamItem: Message {
      public var flags: UInt32 = 0
      public var length: UInt32?
      public var payload: MessageContents?
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>(
        "connectrpc.conformance.v1.StreamContents.StreamItem"
      ) {
        Field.uint32(1, "flags", \.flags)
        Field.uint32(2, "length", \.length)
        Field.message(3, "payload", \.payload)
      }
    }
  }

  /// For the reference server alone.
  public struct RawHTTPResponse: Message {
    public var statusCode: UInt32 = 0
    public var headers: [Header] = []
    public var body: Body?
    public var trailers: [Header] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public enum Body: Sendable, Equatable {
      case unary(MessageContents)
      case stream(StreamContents)
    }

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.RawHTTPResponse") {
      Field.uint32(1, "status_code", \.statusCode)
      Field.message(2, "headers", \.headers)
      Field.oneof("body", \.body) {
        OneofCase.message(3, "unary", Body.unary) {
          if case .unary(let value) = $0 { value } else { nil }
        }
        OneofCase.message(4, "stream", Body.stream) {
          if case .stream(let value) = $0 { value } else { nil }
        }
      }
      Field.message(5, "trailers", \.trailers)
    }
  }
}
