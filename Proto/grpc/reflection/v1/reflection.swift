// The binding of reflection.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension GRPCReflection {
  public struct ServerReflectionRequest: Message {
    public var host = ""
    public var messageRequest: MessageRequest?
    public var unknownFields = UnknownFields()

    public init() {}

    /// What is asked for.
    public enum MessageRequest: Sendable, Equatable {
      case fileByFilename(String)
      case fileContainingSymbol(String)
      case fileContainingExtension(ExtensionRequest)
      case allExtensionNumbersOfType(String)
      case listServices(String)
    }

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ServerReflectionRequest") {
      Field.string(1, "host", \.host)
      Field.oneof("message_request", \.messageRequest) {
        OneofCase.string(3, "file_by_filename", MessageRequest.fileByFilename) {
          if case .fileByFilename(let value) = $0 { value } else { nil }
        }
        OneofCase.string(4, "file_containing_symbol", MessageRequest.fileContainingSymbol) {
          if case .fileContainingSymbol(let value) = $0 { value } else { nil }
        }
        OneofCase.message(5, "file_containing_extension", MessageRequest.fileContainingExtension) {
          if case .fileContainingExtension(let value) = $0 { value } else { nil }
        }
        OneofCase.string(
          6, "all_extension_numbers_of_type", MessageRequest.allExtensionNumbersOfType
        ) {
          if case .allExtensionNumbersOfType(let value) = $0 { value } else { nil }
        }
        OneofCase.string(7, "list_services", MessageRequest.listServices) {
          if case .listServices(let value) = $0 { value } else { nil }
        }
      }
    }
  }

  public struct ExtensionRequest: Message {
    public var containingType = ""
    public var extensionNumber: Int32 = 0
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ExtensionRequest") {
      Field.string(1, "containing_type", \.containingType)
      Field.int32(2, "extension_number", \.extensionNumber)
    }
  }

  public struct ServerReflectionResponse: Message {
    public var validHost = ""
    public var originalRequest: ServerReflectionRequest?
    public var messageResponse: MessageResponse?
    public var unknownFields = UnknownFields()

    public init() {}

    /// The answer.
    public enum MessageResponse: Sendable, Equatable {
      case fileDescriptorResponse(FileDescriptorResponse)
      case allExtensionNumbersResponse(ExtensionNumberResponse)
      case listServicesResponse(ListServiceResponse)
      case errorResponse(ErrorResponse)
    }

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ServerReflectionResponse") {
      Field.string(1, "valid_host", \.validHost)
      Field.message(2, "original_request", \.originalRequest)
      Field.oneof("message_response", \.messageResponse) {
        OneofCase.message(4, "file_descriptor_response", MessageResponse.fileDescriptorResponse) {
          if case .fileDescriptorResponse(let value) = $0 { value } else { nil }
        }
        OneofCase.message(
          5, "all_extension_numbers_response", MessageResponse.allExtensionNumbersResponse
        ) {
          if case .allExtensionNumbersResponse(let value) = $0 { value } else { nil }
        }
        OneofCase.message(6, "list_services_response", MessageResponse.listServicesResponse) {
          if case .listServicesResponse(let value) = $0 { value } else { nil }
        }
        OneofCase.message(7, "error_response", MessageResponse.errorResponse) {
          if case .errorResponse(let value) = $0 { value } else { nil }
        }
      }
    }
  }

  public struct FileDescriptorResponse: Message {
    public var fileDescriptorProto: [[UInt8]] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.FileDescriptorResponse") {
      Field.bytes(1, "file_descriptor_proto", \.fileDescriptorProto)
    }
  }

  public struct ExtensionNumberResponse: Message {
    public var baseTypeName = ""
    public var extensionNumber: [Int32] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ExtensionNumberResponse") {
      Field.string(1, "base_type_name", \.baseTypeName)
      Field.int32(2, "extension_number", \.extensionNumber)
    }
  }

  public struct ListServiceResponse: Message {
    public var service: [ServiceResponse] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ListServiceResponse") {
      Field.message(1, "service", \.service)
    }
  }

  public struct ServiceResponse: Message {
    public var name = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ServiceResponse") {
      Field.string(1, "name", \.name)
    }
  }

  public struct ErrorResponse: Message {
    public var errorCode: Int32 = 0
    public var errorMessage = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("grpc.reflection.v1.ErrorResponse") {
      Field.int32(1, "error_code", \.errorCode)
      Field.string(2, "error_message", \.errorMessage)
    }
  }

  public enum ServerReflectionMethods {
    public static let service = "grpc.reflection.v1.ServerReflection"

    /// Answers each request with one response, in order.
    public static let serverReflectionInfo = Method<
      ServerReflectionRequest, ServerReflectionResponse
    >(
      service: service, name: "ServerReflectionInfo", kind: .bidirectionalStreaming)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "ServerReflection",
      [
        SchemaMethod(serverReflectionInfo)
      ])
  }
}

extension SchemaFile {
  public static let reflection = SchemaFile(
    "grpc/reflection/v1/reflection.proto", package: "grpc.reflection.v1",
    messages: [
      GRPCReflection.ServerReflectionRequest.self, GRPCReflection.ExtensionRequest.self,
      GRPCReflection.ServerReflectionResponse.self, GRPCReflection.FileDescriptorResponse.self,
      GRPCReflection.ExtensionNumberResponse.self, GRPCReflection.ListServiceResponse.self,
      GRPCReflection.ServiceResponse.self, GRPCReflection.ErrorResponse.self,
    ],
    services: [GRPCReflection.ServerReflectionMethods.schema])
}
