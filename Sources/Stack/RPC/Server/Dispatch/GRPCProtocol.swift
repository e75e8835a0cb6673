/// gRPC over HTTP/2.
struct GRPCProtocol: CallProtocol {
  let family = CallForm.Family.grpc
  let takesUnknownMethods = true
  let contentTypes = [
    (name: "application/grpc", isJSON: false), (name: "application/grpc+proto", isJSON: false),
    (name: "application/grpc+json", isJSON: true),
  ]

  func answerType(isJSON: Bool) -> String {
    isJSON ? "application/grpc+json" : "application/grpc"
  }

  func encodings(_ facts: RequestFacts) -> RequestFacts.Encodings { facts.grpc }

  func responseCompression(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?,
    among compressions: [any MessageCompression]
  ) -> (any MessageCompression)? {
    Self.same(request, accepted)
  }

  /// What the client sends it takes too, unless it says otherwise.
  static func same(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?
  ) -> (any MessageCompression)? {
    if let request, let accepted, !accepted.contains(request.name) { return nil }
    return request
  }
}
