import ProtoCodec
import RPC
import Schema
import Testing

@Suite struct StatusDetailTests {
  private let badRequest: GoogleRPC.BadRequest = {
    var violation = GoogleRPC.BadRequest.FieldViolation()
    violation.field = "cluster"
    violation.description = "must not be empty"
    var request = GoogleRPC.BadRequest()
    request.fieldViolations = [violation]
    return request
  }()

  @Test("A detail is found again by its type")
  func roundTrip() {
    var failure = GoogleRPC.PreconditionFailure()
    failure.violations = [GoogleRPC.PreconditionFailure.Violation()]
    let error = RPCError(
      .invalidArgument, "cluster must not be empty",
      details: [StatusDetail(failure), StatusDetail(badRequest)])
    #expect(error.details[1].typeURL == "type.googleapis.com/google.rpc.BadRequest")
    #expect(error.detail(GoogleRPC.BadRequest.self) == badRequest)
    #expect(error.detail(GoogleRPC.PreconditionFailure.self) == failure)
    #expect(error.detail(GoogleRPC.RetryInfo.self) == nil)
  }

  @Test("A detail that cannot be decoded is not there")
  func malformed() {
    var detail = StatusDetail(badRequest)
    detail.value = [0x0A, 0x7F]
    #expect(detail.message(GoogleRPC.BadRequest.self) == nil)
  }
}
