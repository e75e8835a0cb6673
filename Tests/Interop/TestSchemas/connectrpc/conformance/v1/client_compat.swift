// The binding of client_compat.proto, which says what each field means.

public import ProtoCodec
public import Schema

extension Conformance {
  /// A call to make.
  public struct ClientCompatRequest: Message {
    public var testName = ""
    public var httpVersion = HTTPVersion.unspecified
    public var `protocol` = RPCProtocol.unspecified
    public var codec = Codec.unspecified
    public var compression = Compression.unspecified
    public var host = ""
    public var port: UInt32 = 0
    public var serverTLSCert: [UInt8] = []
    public var clientTLSCreds: TLSCreds?
    public var messageReceiveLimit: UInt32 = 0
    public var service: String?
    public var method: String?
    public var streamType = StreamType.unspecified
    public var useGetHTTPMethod = false
    public var requestHeaders: [Header] = []
    public var requestMessages: [AnyMessage] = []
    public var timeoutMS: UInt32?
    public var requestDelayMS: UInt32 = 0
    public var cancel: ClientCompatRequest.Cancel?
    public var rawRequest: RawHTTPRequest?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientCompatRequest") {
      Field.string(1, "test_name", \.testName)
      Field.enumeration(2, "http_version", \.httpVersion)
      Field.enumeration(3, "protocol", \.protocol)
      Field.enumeration(4, "codec", \.codec)
      Field.enumeration(5, "compression", \.compression)
      Field.string(6, "host", \.host)
      Field.uint32(7, "port", \.port)
      Field.bytes(8, "server_tls_cert", \.serverTLSCert)
      Field.message(9, "client_tls_creds", \.clientTLSCreds)
      Field.uint32(10, "message_receive_limit", \.messageReceiveLimit)
      Field.string(11, "service", \.service)
      Field.string(12, "method", \.method)
      Field.enumeration(13, "stream_type", \.streamType)
      Field.bool(14, "use_get_http_method", \.useGetHTTPMethod)
      Field.message(15, "request_headers", \.requestHeaders)
      Field.message(16, "request_messages", \.requestMessages)
      Field.uint32(17, "timeout_ms", \.timeoutMS)
      Field.uint32(18, "request_delay_ms", \.requestDelayMS)
      Field.message(19, "cancel", \.cancel)
      Field.message(20, "raw_request", \.rawRequest)
    }

    /// When to cancel the call; with nothing set, right after the requests have been sent.
    public struct Cancel: Message {
      public var cancelTiming: CancelTiming?
      public var unknownFields = UnknownFields()

      public init() {}

      public enum CancelTiming: Sendable, Equatable {
        case beforeCloseSend(Empty)
        case afterCloseSendMS(UInt32)
        case afterNumResponses(UInt32)
      }

      public static let fields = FieldTable<Self>(
        "connectrpc.conformance.v1.ClientCompatRequest.Cancel"
      ) {
        Field.oneof("cancel_timing", \.cancelTiming) {
          OneofCase.message(1, "before_close_send", CancelTiming.beforeCloseSend) {
            if case .beforeCloseSend(let value) = $0 { value } else { nil }
          }
          OneofCase.uint32(2, "after_close_send_ms", CancelTiming.afterCloseSendMS) {
            if case .afterCloseSendMS(let value) = $0 { value } else { nil }
          }
          OneofCase.uint32(3, "after_num_responses", CancelTiming.afterNumResponses) {
            if case .afterNumResponses(let value) = $0 { value } else { nil }
          }
        }
      }
    }
  }

  /// What came of the call.
  public struct ClientCompatResponse: Message {
    public var testName = ""
    public var result: Result?
    public var unknownFields = UnknownFields()

    public init() {}

    public enum Result: Sendable, Equatable {
      case response(ClientResponseResult)
      case error(ClientErrorResult)
    }

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientCompatResponse") {
      Field.string(1, "test_name", \.testName)
      Field.oneof("result", \.result) {
        OneofCase.message(2, "response", Result.response) {
          if case .response(let value) = $0 { value } else { nil }
        }
        OneofCase.message(3, "error", Result.error) {
          if case .error(let value) = $0 { value } else { nil }
        }
      }
    }
  }

  /// The call was made, and ended in this.
  public struct ClientResponseResult: Message {
    public var responseHeaders: [Header] = []
    public var payloads: [ConformancePayload] = []
    public var error: Error?
    public var responseTrailers: [Header] = []
    public var numUnsentRequests: Int32 = 0
    public var httpStatusCode: Int32?
    public var feedback: [String] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientResponseResult") {
      Field.message(1, "response_headers", \.responseHeaders)
      Field.message(2, "payloads", \.payloads)
      Field.message(3, "error", \.error)
      Field.message(4, "response_trailers", \.responseTrailers)
      Field.int32(5, "num_unsent_requests", \.numUnsentRequests)
      Field.int32(6, "http_status_code", \.httpStatusCode)
      Field.string(7, "feedback", \.feedback)
    }
  }

  /// The call could not be made.
  public struct ClientErrorResult: Message {
    public var message = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ClientErrorResult") {
      Field.string(1, "message", \.message)
    }
  }

  /// For the reference client alone.
  public struct WireDetails: Message {
    public var actualStatusCode: Int32 = 0
    public var connectErrorRaw: ProtoStruct?
    public var actualHTTPTrailers: [Header] = []
    public var actualGrpcwebTrailers: String?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.WireDetails") {
      Field.int32(1, "actual_status_code", \.actualStatusCode)
      Field.message(2, "connect_error_raw", \.connectErrorRaw)
      Field.message(3, "actual_http_trailers", \.actualHTTPTrailers)
      Field.string(4, "actual_grpcweb_trailers", \.actualGrpcwebTrailers)
    }
  }
}

extension SchemaFile {
  public static let conformanceClientCompat = SchemaFile(
    "connectrpc/conformance/v1/client_compat.proto", package: "connectrpc.conformance.v1",
    dependencies: [.conformanceConfig, .conformanceService, .any, .empty, .structure],
    messages: [
      Conformance.ClientCompatRequest.self, Conformance.ClientCompatRequest.Cancel.self,
      Conformance.ClientCompatResponse.self, Conformance.ClientResponseResult.self,
      Conformance.ClientErrorResult.self, Conformance.WireDetails.self,
    ])
}
