import ConnectSupport
import ProtoCodec
import RPC
import Schema
import TestSchemas

/// The answers of one streaming call, in the order its first request defines.
struct StreamAnswers {
  private let definition: Conformance.StreamResponseDefinition?
  private let info: RequestInfo
  private let call: ServerCall
  /// Requests that no answer has told of yet.
  private var untold: [AnyMessage] = []
  private var sent = 0

  init(
    _ definition: Conformance.StreamResponseDefinition?, _ info: RequestInfo, _ call: ServerCall
  ) {
    self.definition = definition
    self.info = info
    self.call = call
    guard let definition else { return }
    call.addInitialMetadata(Metadata(definition.responseHeaders))
    call.addTrailingMetadata(Metadata(definition.responseTrailers))
  }

  /// Sends the response's head before the first message, when there will be one.
  func sendHead() async {
    call.compressResponses()
    if definition?.responseData.isEmpty == false { await call.sendInitialMetadata() }
  }

  mutating func add(_ request: AnyMessage) { untold.append(request) }

  /// The next answer, after its delay; nil when there are no more.
  mutating func next() async throws -> Conformance.ConformancePayload? {
    guard let definition, sent < definition.responseData.count else { return nil }
    var payload = Conformance.ConformancePayload()
    payload.data = definition.responseData[sent]
    if sent == 0 {
      payload.requestInfo = info.message(untold)
    } else if !untold.isEmpty {
      payload.requestInfo = Conformance.ConformancePayload.RequestInfo()
      payload.requestInfo?.requests = untold
    }
    untold = []
    sent += 1
    try await Task.sleep(for: .milliseconds(Int64(definition.responseDelayMS)))
    return payload
  }

  /// - Throws: the error that the call shall end with; it tells of the request when no answer has.
  func finish() throws(RPCError) {
    guard let error = definition?.error else { return }
    throw RPCError(error, adding: sent == 0 ? [AnyMessage(info.message(untold))] : [])
  }
}
