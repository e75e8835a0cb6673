import ConnectSupport
import ProtoCodec
import RPC
import Schema
import TestSchemas

/// `connectrpc.conformance.v1.ConformanceService`: each request says how it wants to be answered.
///
/// `Unimplemented` is left out, which is what it is for.
enum ConformanceHandlers {
  typealias Methods = Conformance.ConformanceServiceMethods

  static func register(in router: inout ServiceRouter) {
    router.handle(Methods.unary) { (request: Conformance.UnaryRequest, call) in
      var response = Conformance.UnaryResponse()
      response.payload = try await payload(
        request.responseDefinition, RequestInfo(call), [AnyMessage(request)], call)
      return response
    }
    router.handle(Methods.idempotentUnary) { (request: Conformance.IdempotentUnaryRequest, call) in
      var response = Conformance.IdempotentUnaryResponse()
      response.payload = try await payload(
        request.responseDefinition, RequestInfo(call), [AnyMessage(request)], call)
      return response
    }
    router.handle(Methods.clientStream) {
      (requests: RequestStream<Conformance.ClientStreamRequest>, call) in
      let info = RequestInfo(call)
      var definition: Conformance.UnaryResponseDefinition?
      var seen: [AnyMessage] = []
      for try await request in requests {
        if seen.isEmpty { definition = request.responseDefinition }
        seen.append(AnyMessage(request))
      }
      var response = Conformance.ClientStreamResponse()
      response.payload = try await payload(definition, info, seen, call)
      return response
    }
    router.handle(Methods.serverStream) {
      (
        request: Conformance.ServerStreamRequest,
        writer: ResponseWriter<Conformance.ServerStreamResponse>, call
      ) in
      var answers = StreamAnswers(request.responseDefinition, RequestInfo(call), call)
      await answers.sendHead()
      answers.add(AnyMessage(request))
      while let payload = try await answers.next() {
        var response = Conformance.ServerStreamResponse()
        response.payload = payload
        try await writer.write(response)
      }
      try answers.finish()
    }
    router.handle(Methods.bidiStream, bidirectional)
  }

  @Sendable private static func bidirectional(
    _ requests: RequestStream<Conformance.BidiStreamRequest>,
    _ writer: ResponseWriter<Conformance.BidiStreamResponse>, _ call: ServerCall
  ) async throws {
    let info = RequestInfo(call)
    var answers: StreamAnswers?
    var isFullDuplex = false

    func sendNext() async throws -> Bool {
      guard let payload = try await answers?.next() else { return false }
      var response = Conformance.BidiStreamResponse()
      response.payload = payload
      try await writer.write(response)
      return true
    }

    for try await request in requests {
      if answers == nil {
        answers = StreamAnswers(request.responseDefinition, info, call)
        isFullDuplex = request.fullDuplex
        if isFullDuplex { await answers?.sendHead() }
      }
      answers?.add(AnyMessage(request))
      if isFullDuplex {
        guard try await sendNext() else { break }
      }
    }
    if !isFullDuplex { await answers?.sendHead() }
    while try await sendNext() {}
    try answers?.finish()
  }

  /// The one answer of a call, after its delay.
  private static func payload(
    _ definition: Conformance.UnaryResponseDefinition?, _ info: RequestInfo,
    _ requests: [AnyMessage], _ call: ServerCall
  ) async throws -> Conformance.ConformancePayload {
    call.compressResponses()
    let seen = info.message(requests)
    var payload = Conformance.ConformancePayload()
    payload.requestInfo = seen
    guard let definition else { return payload }
    call.addInitialMetadata(Metadata(definition.responseHeaders))
    call.addTrailingMetadata(Metadata(definition.responseTrailers))
    try await Task.sleep(for: .milliseconds(Int64(definition.responseDelayMS)))
    switch definition.response {
    case .error(let error): throw RPCError(error, adding: [AnyMessage(seen)])
    case .responseData(let data): payload.data = data
    case nil: break
    }
    return payload
  }
}
