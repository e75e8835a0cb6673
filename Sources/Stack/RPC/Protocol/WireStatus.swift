internal import Encodings

/// `grpc-status`, `grpc-message` and `grpc-status-details-bin`, both ways.
package enum WireStatus {
  package static func append(_ error: RPCError, trailing: Metadata, to fields: inout HeaderFields) {
    fields.append("grpc-status", String(error.code.rawValue))
    if !error.message.isEmpty {
      fields.append("grpc-message", PercentEncoding.encode(error.message, keeping: .fieldValue))
    }
    if !error.details.isEmpty {
      fields.append(
        "grpc-status-details-bin", Base64.encode(StatusDetailsWire.encode(error), padded: false))
    }
    trailing.append(to: &fields)
    error.metadata.append(to: &fields)
  }

  /// The status in a block of trailers, nil when it carries none.
  package static func parse(_ fields: HeaderFields) -> RPCError? {
    guard let text = fields.first("grpc-status") else { return nil }
    let code = Int(text).flatMap(StatusCode.init(rawValue:)) ?? .unknown
    var error = RPCError(code, PercentEncoding.decodeTolerantly(fields.first("grpc-message") ?? ""))
    error.metadata = Metadata(fields: fields)
    if let details = fields.first("grpc-status-details-bin"),
      let bytes = Base64.decode(details, .peers)
    {
      error.details = StatusDetailsWire.decode(bytes)
    }
    return error
  }
}
