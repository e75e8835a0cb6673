import ConformanceTypes
import ProtoCodec

/// Answers the requests of protobuf's conformance suite.
struct Testee {
  private let types = TypeRegistry.conformance

  func answer(_ request: ConformanceRequest) -> ConformanceResponse {
    // The runner asks first which failures are known: none.
    if request.messageType == "conformance.FailureSet" {
      return ConformanceResponse(.protobuf([]))
    }
    guard request.messageType == TestAllTypesProto3.protoName else {
      return ConformanceResponse(.skipped("only proto3"))
    }
    switch request.payload {
    case .protobuf(let bytes):
      do {
        return write(try TestAllTypesProto3(serialized: bytes), for: request)
      } catch {
        return ConformanceResponse(.parseError("\(error)"))
      }
    case .json(let text):
      var options = JSONDecodingOptions()
      options.types = types
      options.ignoresUnknown = request.testCategory == .jsonIgnoreUnknown
      do {
        return write(try TestAllTypesProto3(json: text, options: options), for: request)
      } catch {
        return ConformanceResponse(.parseError("\(error)"))
      }
    case .jspb, .text: return ConformanceResponse(.skipped("only binary and JSON"))
    case nil: return ConformanceResponse(.runtimeError("a request without payload"))
    }
  }

  private func write(
    _ message: TestAllTypesProto3, for request: ConformanceRequest
  ) -> ConformanceResponse {
    switch request.requestedOutputFormat {
    case .protobuf: return ConformanceResponse(.protobuf(message.serialized()))
    case .json:
      var options = JSONEncodingOptions()
      options.types = types
      do {
        return ConformanceResponse(.json(try message.json(options)))
      } catch {
        return ConformanceResponse(.serializeError("\(error)"))
      }
    default: return ConformanceResponse(.skipped("only binary and JSON"))
    }
  }
}
