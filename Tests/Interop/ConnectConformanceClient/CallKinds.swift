import ConnectSupport
import ProtoCodec
import RPC
import TestSchemas

extension ConformanceCall {
  func unary<I: Message, O: Message>(
    _ method: Method<I, O>, _ payload: (O) -> Conformance.ConformancePayload?
  ) async throws {
    let message = try onlyMessage(I.self)
    canceller.closingSend()
    let answer = try await client.unaryResponse(method, message, options: options)
    outcome.received(payload(answer.message))
    outcome.metadata(initial: answer.initialMetadata, trailing: answer.trailingMetadata)
  }

  func clientStream() async throws {
    let messages = try messages(Conformance.ClientStreamRequest.self)
    let answer = try await client.clientStreamingResponse(Methods.clientStream, options: options) {
      writer in
      for (index, message) in messages.enumerated() {
        try await pause()
        do { try await writer.write(message) } catch {
          outcome.unsent(messages.count - index)
          throw error
        }
      }
      canceller.beforeCloseSend()
      canceller.closingSend()
    }
    outcome.received(answer.message.payload)
    outcome.metadata(initial: answer.initialMetadata, trailing: answer.trailingMetadata)
  }

  func serverStream() async throws {
    let message = try onlyMessage(Conformance.ServerStreamRequest.self)
    canceller.closingSend()
    try await client.serverStreaming(Methods.serverStream, message, options: options) { responses in
      try await readAll(responses) { $0.payload }
    }
  }

  func bidiStream() async throws {
    let messages = try messages(Conformance.BidiStreamRequest.self)
    let isFullDuplex = request.streamType == .fullDuplexBidiStream
    try await client.bidirectional(Methods.bidiStream, options: options) { writer, responses in
      try await tellMetadata(of: responses) {
        var iterator = responses.makeAsyncIterator()
        var count = 0
        for (index, message) in messages.enumerated() {
          try await pause()
          do { try await writer.write(message) } catch {
            outcome.unsent(messages.count - index)
            break
          }
          if isFullDuplex {
            guard let response = try await iterator.next() else { break }
            count += 1
            outcome.received(response.payload)
            canceller.received(count)
          }
        }
        canceller.beforeCloseSend()
        // A call that is over says so when it is read.
        if !Task.isCancelled { try? await writer.finish() }
        canceller.closingSend()
        while let response = try await iterator.next() {
          count += 1
          outcome.received(response.payload)
          canceller.received(count)
        }
      }
    }
  }

  private func readAll<O: Sendable>(
    _ responses: ResponseStream<O>, _ payload: (O) -> Conformance.ConformancePayload?
  ) async throws {
    try await tellMetadata(of: responses) {
      var count = 0
      for try await response in responses {
        count += 1
        outcome.received(payload(response))
        canceller.received(count)
      }
    }
  }

  /// Runs the body, then tells what metadata came with the responses, however it ended.
  private func tellMetadata<O: Sendable>(
    of responses: ResponseStream<O>, _ body: () async throws -> Void
  ) async throws {
    do {
      try await body()
    } catch {
      outcome.metadata(
        initial: await responses.initialMetadata(), trailing: responses.trailingMetadata)
      throw error
    }
    outcome.metadata(
      initial: await responses.initialMetadata(), trailing: responses.trailingMetadata)
  }

  private func pause() async throws {
    if request.requestDelayMS > 0 {
      try await Task.sleep(for: .milliseconds(Int64(request.requestDelayMS)))
    }
  }
}
