/// What differs between the protocols when the head of a request becomes a call. A protocol here is one row of
/// content types: gRPC-Web in text is another than gRPC-Web in binary.
protocol CallProtocol: Sendable {
  var family: CallForm.Family { get }
  /// The content types of requests by the message format they name.
  var contentTypes: [(name: String, isJSON: Bool)] { get }
  /// The content type of responses.
  func answerType(isJSON: Bool) -> String
  /// Whether methods of that kind are called so.
  func serves(_ kind: MethodKind) -> Bool
  /// Whether a method that is not registered may be called so, if the router takes such calls.
  var takesUnknownMethods: Bool { get }
  /// Those fields of the head that name the encodings.
  func encodings(_ facts: RequestFacts) -> RequestFacts.Encodings
  /// What the responses are compressed with, by what the request is compressed with and what the client takes.
  func responseCompression(
    _ request: (any MessageCompression)?, _ accepted: AcceptedEncodings?,
    among compressions: [any MessageCompression]
  ) -> (any MessageCompression)?
}

extension CallProtocol {
  func serves(_ kind: MethodKind) -> Bool { true }
  var takesUnknownMethods: Bool { false }
}

enum CallProtocols {
  static let grpc = GRPCProtocol()
  static let connectUnary = ConnectUnaryProtocol()
  static let all: [any CallProtocol] = [
    grpc, GRPCWebProtocol(isText: false), GRPCWebProtocol(isText: true), connectUnary,
    ConnectStreamingProtocol(),
  ]

  /// The protocol and format that the content type names; nil for any other.
  static func named(_ facts: RequestFacts) -> (any CallProtocol, isJSON: Bool)? {
    if facts.isPlainGRPC { return (grpc, false) }
    for candidate in all {
      for (name, isJSON) in candidate.contentTypes where name == facts.contentType {
        return (candidate, isJSON)
      }
    }
    return nil
  }

  /// What a client is told that sends anything else; the most usual name of each.
  static let contentTypes =
    "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
    + "application/grpc-web+json, application/grpc-web-text, application/proto, application/json, "
    + "application/connect+proto, application/connect+json"
}
