import Encodings
public import RPC
public import Schema
public import TestSchemas

extension Metadata {
  /// The metadata that the suite lists; `-bin` values stand there in base64.
  public init(_ headers: [Conformance.Header]) {
    self.init()
    for header in headers {
      for value in header.value {
        if header.name.lowercased().hasSuffix("-bin") {
          appendBinary(header.name, Base64.decode(value, .peers) ?? Array(value.utf8))
        } else {
          append(header.name, value)
        }
      }
    }
  }

  /// As the suite lists it: each name once, with all its values.
  public var headers: [Conformance.Header] {
    var headers: [Conformance.Header] = []
    for (name, value) in entries {
      let text =
        switch value {
        case .text(let text): text
        case .binary(let bytes): Base64.encode(bytes, padded: false)
        }
      if let index = headers.firstIndex(where: { $0.name == name }) {
        headers[index].value.append(text)
      } else {
        var header = Conformance.Header()
        header.name = name
        header.value = [text]
        headers.append(header)
      }
    }
    return headers
  }
}

extension RPCError {
  /// The error that the suite asks for, with more details.
  public init(_ error: Conformance.Error, adding details: [AnyMessage] = []) {
    self.init(
      StatusCode(rawValue: Int(error.code.rawValue)) ?? .unknown, error.message ?? "",
      details: (error.details + details).map { StatusDetail(typeURL: $0.typeURL, value: $0.value) })
  }
}

extension Conformance.Error {
  /// The error that came of a call.
  public init(_ error: RPCError) {
    self.init()
    code = Conformance.Code(rawValue: Int32(error.code.rawValue))
    message = error.message
    details = error.details.map { detail in
      var any = AnyMessage()
      any.typeURL = detail.typeURL
      any.value = detail.value
      return any
    }
  }
}
