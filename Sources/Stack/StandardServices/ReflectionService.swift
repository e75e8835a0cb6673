public import ProtoCodec
public import RPC
import Schema

/// Server reflection: what this server serves, so that a client can call it without a schema file.
///
/// Serves `grpc.reflection.v1` and `v1alpha`, whose messages are the same on the wire. A file is sent
/// with everything it imports, directly or not, but for what was sent before on the same stream.
public struct ReflectionService: Sendable {
  private let index: ReflectionIndex

  /// - Parameters:
  ///   - services: the full names of what is served; what `list_services` answers with.
  ///   - files: where symbols are looked for, with all that they import.
  public init(services: [String], files: [SchemaFile]) {
    index = ReflectionIndex(services: services, files: files)
  }

  /// The two services this one serves, to be named in `services`.
  public static let services = [
    GRPCReflection.ServerReflectionMethods.service,
    GRPCReflectionV1Alpha.ServerReflectionMethods.service,
  ]

  /// Serves both versions.
  public func register(in router: inout ServiceRouter) {
    for service in Self.services {
      let method = Method<
        GRPCReflection.ServerReflectionRequest, GRPCReflection.ServerReflectionResponse
      >(
        service: service, name: GRPCReflection.ServerReflectionMethods.serverReflectionInfo.name,
        kind: .bidirectionalStreaming)
      router.handle(method) { requests, writer, _ in
        var sent: Set<String> = []
        for try await request in requests {
          var response = GRPCReflection.ServerReflectionResponse()
          response.validHost = request.host
          response.messageResponse = answer(request.messageRequest, sent: &sent)
          response.originalRequest = request
          try await writer.write(response)
        }
      }
    }
  }

  private func answer(
    _ request: GRPCReflection.ServerReflectionRequest.MessageRequest?, sent: inout Set<String>
  ) -> GRPCReflection.ServerReflectionResponse.MessageResponse {
    switch request {
    case .listServices:
      var list = GRPCReflection.ListServiceResponse()
      list.service = index.services.map { name in
        var service = GRPCReflection.ServiceResponse()
        service.name = name
        return service
      }
      return .listServicesResponse(list)
    case .fileByFilename(let name):
      guard let file = index.file(named: name) else { return Self.notFound("file", name) }
      return files(file, &sent)
    case .fileContainingSymbol(let symbol):
      guard let file = index.file(containing: symbol) else {
        return Self.notFound("symbol", symbol)
      }
      return files(file, &sent)
    case .fileContainingExtension(let request):
      // proto3 has no extensions.
      return Self.notFound("extension of", request.containingType)
    case .allExtensionNumbersOfType(let type):
      guard index.holdsMessage(type) else { return Self.notFound("message", type) }
      var numbers = GRPCReflection.ExtensionNumberResponse()
      numbers.baseTypeName = type
      return .allExtensionNumbersResponse(numbers)
    case nil:
      return Self.error(.invalidArgument, "the request asks for nothing")
    }
  }

  private func files(
    _ file: SchemaFile, _ sent: inout Set<String>
  ) -> GRPCReflection.ServerReflectionResponse.MessageResponse {
    var response = GRPCReflection.FileDescriptorResponse()
    // The file itself comes first and always: it is what was asked for.
    for file in SchemaFile.closure([file]).reversed() {
      if sent.insert(file.name).inserted || response.fileDescriptorProto.isEmpty {
        response.fileDescriptorProto.append(index.descriptor(of: file))
      }
    }
    return .fileDescriptorResponse(response)
  }

  private static func notFound(
    _ kind: String, _ name: String
  ) -> GRPCReflection.ServerReflectionResponse.MessageResponse {
    error(.notFound, "no such \(kind): \(name.prefix(256))")
  }

  private static func error(
    _ code: StatusCode, _ message: String
  ) -> GRPCReflection.ServerReflectionResponse.MessageResponse {
    var error = GRPCReflection.ErrorResponse()
    error.errorCode = Int32(code.rawValue)
    error.errorMessage = message
    return .errorResponse(error)
  }
}
