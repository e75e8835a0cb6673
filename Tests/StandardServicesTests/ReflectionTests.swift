import ProtoCodec
import RPC
import Schema
import StandardServices
import Testing

@Suite("Reflection", .timeLimit(.minutes(1)))
struct ReflectionTests {
  typealias Request = GRPCReflection.ServerReflectionRequest
  typealias Response = GRPCReflection.ServerReflectionResponse

  private let client: RPCClient

  init() {
    var router = ServiceRouter()
    ReflectionService(
      services: ["omni.management.v1.ManagementService", "grpc.health.v1.Health"],
      files: [.management, .health, .reflection]
    ).register(in: &router)
    client = RPCClient(InProcessChannel(router))
  }

  /// Asks on one stream, one after the other, and returns the answers.
  private func ask(
    _ questions: Request.MessageRequest?..., service: String = ReflectionService.services[0]
  ) async throws -> [Response] {
    let method = Method<Request, Response>(
      service: service, name: "ServerReflectionInfo", kind: .bidirectionalStreaming)
    return try await client.bidirectional(method) { requests, responses in
      var answers: [Response] = []
      var iterator = responses.makeAsyncIterator()
      for question in questions {
        var request = Request()
        request.host = "here"
        request.messageRequest = question
        try await requests.write(request)
        answers.append(try #require(try await iterator.next()))
      }
      try await requests.finish()
      #expect(try await iterator.next() == nil)
      return answers
    }
  }

  private func files(_ response: Response) throws -> [FileDescriptorProto] {
    guard case .fileDescriptorResponse(let files) = response.messageResponse else {
      Issue.record("no files: \(response)")
      return []
    }
    return try files.fileDescriptorProto.map { try FileDescriptorProto(serialized: $0) }
  }

  private func error(_ response: Response) -> GRPCReflection.ErrorResponse? {
    if case .errorResponse(let error) = response.messageResponse { error } else { nil }
  }

  @Test("Both versions list the services", arguments: ReflectionService.services)
  func services(_ version: String) async throws {
    let answer = try await ask(.listServices("*"), service: version)[0]
    guard case .listServicesResponse(let list) = answer.messageResponse else {
      Issue.record("not a list")
      return
    }
    #expect(
      list.service.map(\.name) == ["grpc.health.v1.Health", "omni.management.v1.ManagementService"])
    #expect(answer.validHost == "here")
    #expect(answer.originalRequest?.messageRequest == .listServices("*"))
  }

  @Test(
    "A symbol is found with its file first and everything that file imports",
    arguments: [
      "omni.management.v1.ManagementService", "omni.management.v1.ManagementService.RotateSecret",
      "omni.management.v1.RotationStatus", "omni.management.v1.RotationStatus.machines_done",
      "omni.management.v1.RotationState", "omni.management.v1.ROTATION_STATE_IDLE",
      ".omni.management.v1.RotationStatus",
    ])
  func symbols(_ symbol: String) async throws {
    let files = try files(try await ask(.fileContainingSymbol(symbol))[0])
    #expect(files.first?.name == "omni/management/v1/management.proto")
    #expect(
      Set(files.compactMap(\.name)) == [
        "omni/management/v1/management.proto", "google/protobuf/timestamp.proto",
        "google/protobuf/duration.proto",
      ])
    #expect(files.count == 3)
  }

  @Test(
    "Nested types, their values, oneofs and the entries of maps are symbols too",
    arguments: [
      ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
      ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
      ("grpc.health.v1.HealthListResponse.StatusesEntry", "grpc/health/v1/health.proto"),
      (
        "grpc.reflection.v1.ServerReflectionRequest.message_request",
        "grpc/reflection/v1/reflection.proto"
      ),
    ])
  func nested(_ symbol: String, _ file: String) async throws {
    let answer = try await ask(.fileContainingSymbol(symbol))[0]
    #expect(try files(answer).map(\.name) == [file])
  }

  @Test("A file is found by its name; what was sent before on the stream is not sent again")
  func byName() async throws {
    let management = "omni/management/v1/management.proto"
    let answers = try await ask(
      .fileByFilename("google/protobuf/timestamp.proto"), .fileByFilename(management),
      .fileByFilename(management))
    #expect(try files(answers[0]).map(\.name) == ["google/protobuf/timestamp.proto"])
    #expect(try files(answers[1]).map(\.name) == [management, "google/protobuf/duration.proto"])
    #expect(try files(answers[2]).map(\.name) == [management])
  }

  @Test("What there is not is an error response with NOT_FOUND, and the stream goes on")
  func missing() async throws {
    var reference = GRPCReflection.ExtensionRequest()
    reference.containingType = "omni.management.v1.Cluster"
    reference.extensionNumber = 5
    let answers = try await ask(
      .fileByFilename("nothing.proto"), .fileContainingSymbol("nothing.Here"),
      .fileContainingSymbol(""), .fileContainingExtension(reference),
      .allExtensionNumbersOfType("nothing.Here"), nil,
      .allExtensionNumbersOfType("omni.management.v1.Cluster"))
    #expect(answers.prefix(5).allSatisfy { error($0)?.errorCode == 5 })
    #expect(error(answers[5])?.errorCode == 3)
    guard case .allExtensionNumbersResponse(let numbers) = answers[6].messageResponse else {
      Issue.record("no numbers")
      return
    }
    #expect(numbers.baseTypeName == "omni.management.v1.Cluster")
    #expect(numbers.extensionNumber.isEmpty)
  }

  @Test("What is not served is not found")
  func notServed() async throws {
    let answer = try await ask(.fileContainingSymbol("omni.journal.v1.ClusterRecord"))[0]
    #expect(error(answer)?.errorCode == 5)
  }
}
