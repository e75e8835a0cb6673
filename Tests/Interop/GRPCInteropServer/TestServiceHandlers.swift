import Glibc
import RPC
import TestSchemas

/// `grpc.testing.TestService` as gRPC's "Interoperability Test Case Descriptions" define it.
///
/// `UnimplementedCall` and `UnimplementedService` are left out, which is what they are for.
enum TestServiceHandlers {
  typealias Methods = GRPCTesting.TestServiceMethods
  private static let largestPayload = 64 << 20

  static func register(in router: inout ServiceRouter) {
    router.handle(Methods.emptyCall) { (request: GRPCTesting.Empty, call) in
      echoMetadata(call)
      return request
    }
    router.handle(Methods.unaryCall) { (request: GRPCTesting.SimpleRequest, call) in
      try answer(request, call)
    }
    router.handle(Methods.cacheableUnaryCall) { (_: GRPCTesting.SimpleRequest, call) in
      echoMetadata(call)
      call.addInitialMetadata(Metadata(["cache-control": "max-age=60, public"]))
      var response = GRPCTesting.SimpleResponse()
      var payload = GRPCTesting.Payload()
      payload.body = Array(String(nanoseconds()).utf8)
      response.payload = payload
      return response
    }
    router.handle(Methods.streamingInputCall) {
      (requests: RequestStream<GRPCTesting.StreamingInputCallRequest>, call) in
      echoMetadata(call)
      var size = 0
      for try await request in requests {
        try checkCompression(request.expectCompressed, call)
        size += request.payload?.body.count ?? 0
      }
      var response = GRPCTesting.StreamingInputCallResponse()
      response.aggregatedPayloadSize = Int32(clamping: size)
      return response
    }
    registerStreams(in: &router)
  }

  private static func registerStreams(in router: inout ServiceRouter) {
    typealias Request = GRPCTesting.StreamingOutputCallRequest
    typealias Writer = ResponseWriter<GRPCTesting.StreamingOutputCallResponse>
    router.handle(Methods.streamingOutputCall) { (request: Request, writer: Writer, call) in
      echoMetadata(call)
      try await stream(request, writer, call)
    }
    router.handle(Methods.fullDuplexCall) {
      (requests: RequestStream<Request>, writer: Writer, call) in
      echoMetadata(call)
      for try await request in requests { try await stream(request, writer, call) }
    }
    router.handle(Methods.halfDuplexCall) {
      (requests: RequestStream<Request>, writer: Writer, call) in
      echoMetadata(call)
      var kept: [Request] = []
      for try await request in requests {
        guard kept.count < 1000 else {
          throw RPCError(.resourceExhausted, "more than 1000 requests in a half-duplex call")
        }
        kept.append(request)
      }
      for request in kept { try await stream(request, writer, call) }
    }
  }

  private static func answer(
    _ request: GRPCTesting.SimpleRequest, _ call: ServerCall
  ) throws -> GRPCTesting.SimpleResponse {
    echoMetadata(call)
    try checkCompression(request.expectCompressed, call)
    try throwStatus(request.responseStatus)
    if request.responseCompressed?.value == true { call.compressResponses() }
    var response = GRPCTesting.SimpleResponse()
    response.payload = try payload(request.responseSize)
    if request.fillServerID {
      response.serverID = "grpc-interop-server \(getpid())"
      response.hostname = hostname()
    }
    return response
  }

  /// The responses that one request asks for.
  private static func stream(
    _ request: GRPCTesting.StreamingOutputCallRequest,
    _ writer: ResponseWriter<GRPCTesting.StreamingOutputCallResponse>, _ call: ServerCall
  ) async throws {
    try throwStatus(request.responseStatus)
    if request.responseParameters.contains(where: { $0.compressed?.value == true }) {
      call.compressResponses()
    }
    for parameters in request.responseParameters {
      if parameters.intervalUS > 0 {
        try await Task.sleep(for: .microseconds(Int64(parameters.intervalUS)))
      }
      var response = GRPCTesting.StreamingOutputCallResponse()
      response.payload = try payload(parameters.size)
      if parameters.fillPeerSocketAddress?.value == true {
        response.peerSocketAddress = call.peer.address
      }
      try await writer.write(response, compresses: parameters.compressed?.value == true)
    }
  }

  private static func payload(_ size: Int32) throws(RPCError) -> GRPCTesting.Payload {
    guard size >= 0, size <= largestPayload else {
      throw RPCError(.invalidArgument, "a payload of \(size) bytes cannot be sent")
    }
    var payload = GRPCTesting.Payload()
    payload.body = [UInt8](repeating: 0, count: Int(size))
    return payload
  }

  private static func throwStatus(_ status: GRPCTesting.EchoStatus?) throws(RPCError) {
    guard let status, status.code != 0 else { return }
    throw RPCError(StatusCode(rawValue: Int(status.code)) ?? .unknown, status.message)
  }

  private static func checkCompression(
    _ expected: GRPCTesting.BoolValue?, _ call: ServerCall
  ) throws(RPCError) {
    guard let expected, expected.value != call.requestWasCompressed else { return }
    throw RPCError(
      .invalidArgument,
      expected.value ? "the request is not compressed" : "the request is compressed")
  }

  private static func echoMetadata(_ call: ServerCall) {
    let metadata = call.metadata
    if let text = metadata["x-grpc-test-echo-initial"] {
      call.addInitialMetadata(Metadata(["x-grpc-test-echo-initial": text]))
    }
    if let bytes = metadata.binary("x-grpc-test-echo-trailing-bin") {
      var trailing = Metadata()
      trailing.appendBinary("x-grpc-test-echo-trailing-bin", bytes)
      call.addTrailingMetadata(trailing)
    }
  }

  private static func nanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }

  private static func hostname() -> String {
    var name = [UInt8](repeating: 0, count: 256)
    let result = name.withUnsafeMutableBytes { buffer in
      gethostname(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count - 1)
    }
    return result == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : ""
  }
}
