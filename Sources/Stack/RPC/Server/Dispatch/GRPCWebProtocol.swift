/// gRPC-Web, in binary or in base64 for browsers that read text only.
struct GRPCWebProtocol: CallProtocol {
  let isText: Bool

  var family: CallForm.Family { isText ? .grpcWebText : .grpcWeb }
  private var base: String { isText ? "application/grpc-web-text" : "application/grpc-web" }

  var contentTypes: [(name: String, isJSON: Bool)] {
    [(base, false), (base + "+proto", false), (base + "+json", true)]
  }

  func answerType(isJSON: Bool) -> String { base + (isJSON ? "+json" : "+proto") }

  func encodings(_ facts: RequestFacts) -> RequestFacts.Encodings { facts.grpc }

  func responseCompression(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?,
    among compressions: [any MessageCompression]
  ) -> (any MessageCompression)? {
    GRPCProtocol.same(request, accepted)
  }
}
