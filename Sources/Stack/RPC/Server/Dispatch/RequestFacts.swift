/// What the head of a request says of the call, before the method is known.
struct RequestFacts {
  /// Without parameters, in lower case; empty where `isPlainGRPC` says it all.
  var contentType = ""
  var timeout: Duration?
  /// Encodings of the request and those taken for the response, by the protocol whose fields name them:
  /// gRPC's, Connect's for streams, and HTTP's, which are Connect's for unary calls. An HTTP client, every
  /// browser among them, sends its own with whatever protocol it speaks.
  var grpc = Encodings()
  var connect = Encodings()
  var http = Encodings()
  var origin: String?
  var isPlainGRPC = false
  var fault: RPCError?

  struct Encodings {
    /// Nil for none.
    var request: String?
    /// Which field names those that are taken.
    var acceptedField: Int?

    func accepted(_ fields: HeaderFields) -> AcceptedEncodings? {
      acceptedField.map { AcceptedEncodings(fields.value($0)) }
    }
  }

  init(_ fields: HeaderFields) {
    for i in 0..<fields.count {
      // Told apart by length first: most fields of most calls are of no interest.
      switch fields.nameRange(i).count {
      case 12 where fields.nameEquals(i, "content-type"):
        isPlainGRPC =
          fields.valueEquals(i, "application/grpc")
          || fields.valueEquals(i, "application/grpc+proto")
        if !isPlainGRPC {
          contentType = fields.value(i).lowercased().prefix { $0 != ";" }.filter { $0 != " " }
        }
      case 12 where fields.nameEquals(i, "grpc-timeout"):
        timeout = GRPCTimeout.parse(fields.bytes[fields.valueRange(i)])
        if timeout == nil { fault = RPCError(.internalError, "malformed grpc-timeout") }
      case 18 where fields.nameEquals(i, "connect-timeout-ms"):
        let text = fields.value(i)
        if let milliseconds = Int64(text), text.count <= 10, milliseconds >= 0 {
          timeout = .milliseconds(milliseconds)
        } else {
          fault = RPCError(.invalidArgument, "malformed connect-timeout-ms")
        }
      case 13 where fields.nameEquals(i, "grpc-encoding"):
        if !fields.valueEquals(i, "identity") { grpc.request = fields.value(i) }
      case 20 where fields.nameEquals(i, "grpc-accept-encoding"): grpc.acceptedField = i
      case 24 where fields.nameEquals(i, "connect-content-encoding"):
        if !fields.valueEquals(i, "identity") { connect.request = fields.value(i) }
      case 23 where fields.nameEquals(i, "connect-accept-encoding"):
        connect.acceptedField = i
      case 16 where fields.nameEquals(i, "content-encoding"):
        if !fields.valueEquals(i, "identity") { http.request = fields.value(i) }
      case 15 where fields.nameEquals(i, "accept-encoding"): http.acceptedField = i
      case 6 where fields.nameEquals(i, "origin"): origin = fields.value(i)
      default: break
      }
    }
  }
}
