import RPC
import TestSchemas

/// The test cases of gRPC's "Interoperability Test Case Descriptions", by their official names.
///
/// Those that need Google's cloud for their credentials (compute_engine_creds, jwt_token_creds,
/// oauth2_auth_token, per_rpc_creds, google_default_credentials) are not here.
struct TestCases: Sendable {
  typealias Methods = GRPCTesting.TestServiceMethods
  typealias Body = @Sendable (TestCases) async throws -> Void

  /// Without compression.
  let plain: RPCClient
  /// Sends gzip, takes gzip.
  let compressed: RPCClient
  /// Sends as it is, takes gzip.
  let accepting: RPCClient
  let counter: CountingCompression
  /// Makes another client, on a connection of its own.
  let another: @Sendable () throws -> RPCClient
  let soakIterations: Int

  init(
    soakIterations: Int, channel: @escaping @Sendable () throws -> any ClientChannel
  ) throws {
    let shared = try channel()
    let counter = CountingCompression()
    plain = RPCClient(shared)
    compressed = RPCClient(
      shared,
      form: ClientForm(.grpc, requestCompression: counter, acceptedCompressions: [counter]))
    accepting = RPCClient(shared, form: ClientForm(.grpc, acceptedCompressions: [counter]))
    another = { RPCClient(try channel()) }
    self.counter = counter
    self.soakIterations = soakIterations
  }

  static let all: [(name: String, run: Body)] = [
    ("empty_unary", { try await $0.emptyUnary() }),
    ("large_unary", { try await $0.largeUnary() }),
    ("client_compressed_unary", { try await $0.clientCompressedUnary() }),
    ("server_compressed_unary", { try await $0.serverCompressedUnary() }),
    ("client_streaming", { try await $0.clientStreaming() }),
    ("client_compressed_streaming", { try await $0.clientCompressedStreaming() }),
    ("server_streaming", { try await $0.serverStreaming() }),
    ("server_compressed_streaming", { try await $0.serverCompressedStreaming() }),
    ("ping_pong", { try await $0.pingPong() }),
    ("empty_stream", { try await $0.emptyStream() }),
    ("custom_metadata", { try await $0.customMetadata() }),
    ("status_code_and_message", { try await $0.statusCodeAndMessage() }),
    ("special_status_message", { try await $0.specialStatusMessage() }),
    ("unimplemented_method", { try await $0.unimplementedMethod() }),
    ("unimplemented_service", { try await $0.unimplementedService() }),
    ("cancel_after_begin", { try await $0.cancelAfterBegin() }),
    ("cancel_after_first_response", { try await $0.cancelAfterFirstResponse() }),
    ("timeout_on_sleeping_server", { try await $0.timeoutOnSleepingServer() }),
    ("rpc_soak", { try await $0.rpcSoak() }),
    ("channel_soak", { try await $0.channelSoak() }),
  ]

  /// Needs a caching proxy between client and server, so it is no part of `all`.
  static let behindProxy: [(name: String, run: Body)] = [
    ("cacheable_unary", { try await $0.cacheableUnary() })
  ]

  // MARK: Messages

  static func payload(_ size: Int) -> GRPCTesting.Payload {
    var payload = GRPCTesting.Payload()
    payload.body = [UInt8](repeating: 0, count: size)
    return payload
  }

  static func simple(_ requestSize: Int, _ responseSize: Int32) -> GRPCTesting.SimpleRequest {
    var request = GRPCTesting.SimpleRequest()
    request.responseSize = responseSize
    request.payload = payload(requestSize)
    return request
  }

  static func output(
    _ requestSize: Int, _ responseSizes: [Int32]
  ) -> GRPCTesting.StreamingOutputCallRequest {
    var request = GRPCTesting.StreamingOutputCallRequest()
    request.responseParameters = responseSizes.map { size in
      var parameters = GRPCTesting.ResponseParameters()
      parameters.size = size
      return parameters
    }
    if requestSize > 0 { request.payload = payload(requestSize) }
    return request
  }

  static func bool(_ value: Bool) -> GRPCTesting.BoolValue {
    var message = GRPCTesting.BoolValue()
    message.value = value
    return message
  }

  func expectZeros(_ payload: GRPCTesting.Payload?, _ size: Int) throws {
    let body = payload?.body ?? []
    try expectEqual(body.count, size, "the payload's size")
    try expect(body.allSatisfy { $0 == 0 }, "the payload is not all zeros")
  }
}
