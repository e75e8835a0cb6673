import ProtoCodec

// The parts of conformance.proto that a testee without text format and JSPB needs.

struct WireFormat: ProtoEnum {
  var rawValue: Int32
  static let protobuf = Self(rawValue: 1)
  static let json = Self(rawValue: 2)
  static let type = EnumType(
    "conformance.WireFormat",
    [(0, "UNSPECIFIED"), (1, "PROTOBUF"), (2, "JSON"), (3, "JSPB"), (4, "TEXT_FORMAT")])
}

struct TestCategory: ProtoEnum {
  var rawValue: Int32
  static let jsonIgnoreUnknown = Self(rawValue: 3)
  static let type = EnumType(
    "conformance.TestCategory",
    [
      (0, "UNSPECIFIED_TEST"), (1, "BINARY_TEST"), (2, "JSON_TEST"),
      (3, "JSON_IGNORE_UNKNOWN_PARSING_TEST"), (4, "JSPB_TEST"), (5, "TEXT_FORMAT_TEST"),
    ])
}

struct ConformanceRequest: Message {
  enum Payload: Sendable, Equatable {
    case protobuf([UInt8])
    case json(String)
    case jspb(String)
    case text(String)
  }

  var payload: Payload?
  var requestedOutputFormat = WireFormat(rawValue: 0)
  var messageType = ""
  var testCategory = TestCategory(rawValue: 0)
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("conformance.ConformanceRequest") {
    Field.oneof("payload", \.payload) {
      OneofCase.bytes(1, "protobuf_payload", Payload.protobuf) {
        if case .protobuf(let value) = $0 { value } else { nil }
      }
      OneofCase.string(2, "json_payload", Payload.json) {
        if case .json(let value) = $0 { value } else { nil }
      }
      OneofCase.string(7, "jspb_payload", Payload.jspb) {
        if case .jspb(let value) = $0 { value } else { nil }
      }
      OneofCase.string(8, "text_payload", Payload.text) {
        if case .text(let value) = $0 { value } else { nil }
      }
    }
    Field.enumeration(3, "requested_output_format", \.requestedOutputFormat)
    Field.string(4, "message_type", \.messageType)
    Field.enumeration(5, "test_category", \.testCategory)
  }
}

struct ConformanceResponse: Message {
  enum Result: Sendable, Equatable {
    case parseError(String)
    case serializeError(String)
    case runtimeError(String)
    case protobuf([UInt8])
    case json(String)
    case skipped(String)
  }

  var result: Result?
  var unknownFields = UnknownFields()

  init() {}
  init(_ result: Result) { self.result = result }

  static let fields = FieldTable<Self>("conformance.ConformanceResponse") {
    Field.oneof("result", \.result) {
      OneofCase.string(1, "parse_error", Result.parseError) {
        if case .parseError(let value) = $0 { value } else { nil }
      }
      OneofCase.string(6, "serialize_error", Result.serializeError) {
        if case .serializeError(let value) = $0 { value } else { nil }
      }
      OneofCase.string(2, "runtime_error", Result.runtimeError) {
        if case .runtimeError(let value) = $0 { value } else { nil }
      }
      OneofCase.bytes(3, "protobuf_payload", Result.protobuf) {
        if case .protobuf(let value) = $0 { value } else { nil }
      }
      OneofCase.string(4, "json_payload", Result.json) {
        if case .json(let value) = $0 { value } else { nil }
      }
      OneofCase.string(5, "skipped", Result.skipped) {
        if case .skipped(let value) = $0 { value } else { nil }
      }
    }
  }
}
