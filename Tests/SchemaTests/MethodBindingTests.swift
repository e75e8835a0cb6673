import ProtoCodec
import RPC
import Schema
import Testing

@Suite struct MethodBindingTests {
  private let method = ManagementServiceMethods.rotateSecret

  private let request: RotateSecretRequest = {
    var request = RotateSecretRequest()
    request.cluster = "demo"
    request.component = .talosCA
    return request
  }()

  @Test("A method's path and messages are those of the .proto")
  func path() {
    #expect(method.path == "/omni.management.v1.ManagementService/RotateSecret")
    #expect(method.kind == .unary)
    #expect(method.idempotency == .unknown)
    #expect(ManagementServiceMethods.getCluster.idempotency == .noSideEffects)
    #expect(ManagementServiceMethods.watchRotationStatus.kind == .serverStreaming)
  }

  @Test("Binary messages are appended to the buffer and read back")
  func binary() throws {
    var buffer: [UInt8] = [0xFF]
    try method.request.encode(request, &buffer)
    #expect(buffer == [0xFF, 0x0A, 4, 0x64, 0x65, 0x6D, 0x6F, 0x10, 1])
    let decoded = try method.request.decode(buffer.span.extracting(1...))
    #expect(decoded == request)
  }

  @Test("JSON is taken in both spellings")
  func json() throws {
    var buffer: [UInt8] = []
    try method.request.encodeJSON(request, &buffer)
    #expect(
      String(decoding: buffer, as: UTF8.self)
        == #"{"cluster":"demo","component":"SECRET_COMPONENT_TALOS_CA"}"#)
    let text = Array(
      #"{"cluster":"demo","component":1,"dry_run":false,"requestId":""}"#.utf8)
    #expect(try method.request.decodeJSON(text.span) == request)
  }

  @Test(
    "JSON of a call that changes something has no field and no value that is unknown",
    arguments: [
      (#"{"cluster":"demo","dryrun":true}"#, #"unknown field "dryrun"; did you mean "dryRun"?"#),
      (#"{"cluser":"demo"}"#, #"unknown field "cluser"; did you mean "cluster"?"#),
      (
        #"{"tomorrow":[{}]}"#,
        #"unknown field "tomorrow"; omni.management.v1.RotateSecretRequest has no such field"#
      ),
      (#"{"component":"SECRET_COMPONENT_TALOS"}"#, "component"),
    ])
  func unknown(text: String, problem: String) {
    let error = #expect(throws: JSONDecodingError.self) {
      try method.request.decodeJSON(Array(text.utf8).span)
    }
    #expect(error.map { "\($0)".contains(problem) } == true, "\(String(describing: error))")
  }

  @Test("JSON of a call without side effects, and of answers, may hold what is unknown")
  func lenient() throws {
    let reading = ManagementServiceMethods.getRotationStatus
    let text = Array(#"{"cluster":"demo","tomorrow":[{}]}"#.utf8)
    #expect(try reading.request.decodeJSON(text.span).cluster == "demo")
    _ = try method.response.decodeJSON(Array(#"{"tomorrow":1}"#.utf8).span)
  }

  @Test("Bytes that are no such message are refused")
  func malformed() {
    let binary: [UInt8] = [0x0A, 0x7F]
    #expect(throws: DecodingError.self) { try method.request.decode(binary.span) }
    let text = Array(#"{"cluster":7}"#.utf8)
    #expect(throws: JSONDecodingError.self) { try method.request.decodeJSON(text.span) }
  }

  @Test("A detail within Any is written out in JSON")
  func anyInJSON() throws {
    var info = GoogleRPC.ResourceInfo()
    info.resourceName = "demo"
    var status = GoogleRPC.Status()
    status.details = [AnyMessage(info)]
    var buffer: [UInt8] = []
    try MessageCodec<GoogleRPC.Status>.proto().encodeJSON(status, &buffer)
    let json = String(decoding: buffer, as: UTF8.self)
    #expect(json.contains(#""@type":"type.googleapis.com/google.rpc.ResourceInfo""#))
    #expect(try MessageCodec<GoogleRPC.Status>.proto().decodeJSON(buffer.span) == status)
  }
}
