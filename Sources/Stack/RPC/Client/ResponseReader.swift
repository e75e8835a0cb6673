internal import Encodings

/// Reads the response of one call in whichever protocol it is written: head, messages, status.
///
/// Pure: bytes and header blocks in, messages and a status out. What it keeps is bounded by the
/// message limit.
struct ResponseReader {
  let form: ClientForm
  let kind: MethodKind
  private let limit: Int
  private var envelopes: EnvelopeReader
  private var compression: (any MessageCompression)?
  /// The body of a response without envelopes: a Connect unary message or error.
  private var body: [UInt8] = []
  private var httpStatus = 200
  private(set) var headMetadata = Metadata()
  private var trailing = Metadata()
  /// The status that came in the head of a response with an empty body.
  private var headStatus: RPCError?
  /// A status was found in the body: the response is complete.
  private(set) var status: RPCError?

  /// A reader of the same kind of response from its beginning.
  init(copying other: ResponseReader) {
    self.init(form: other.form, kind: other.kind, limit: other.limit)
  }

  init(form: ClientForm, kind: MethodKind, limit: Int) {
    self.form = form
    self.kind = kind
    self.limit = limit
    self.envelopes = EnvelopeReader(limit: limit)
  }

  /// Takes the head: the initial metadata.
  ///
  /// - Throws: what the head says went wrong.
  mutating func head(_ fields: HeaderFields) throws(RPCError) -> Metadata {
    httpStatus = fields.first(":status").flatMap { Int($0) } ?? 0
    let type = fields.first("content-type") ?? ""
    headMetadata = Metadata(fields: fields)
    if form.isBare(kind) { return try bareHead(fields, type) }
    if httpStatus != 200 { throw refusal(fields) }
    let prefix: String
    switch form.wireProtocol {
    case .grpc: prefix = "application/grpc"
    case .grpcWeb: prefix = "application/grpc-web"
    case .connect:
      prefix = form.format == .json ? "application/connect+json" : "application/connect+proto"
    }
    let named = type.prefix { $0 != ";" && $0 != "+" }
    let matches = form.wireProtocol == .connect ? type.hasPrefix(prefix) : named == prefix
    if !matches
      || form.wireProtocol != .connect && type.hasSuffix("+json") != (form.format == .json)
    {
      let isOtherFormat = form.wireProtocol == .connect && type.hasPrefix("application/connect+")
      throw RPCError(
        isOtherFormat ? .internalError : .unknown,
        "the server answers with another protocol: content-type \(type.prefix(64))")
    }
    // gRPC-Web's Trailers-Only: behind some proxies an empty body follows.
    if form.wireProtocol == .grpcWeb { headStatus = WireStatus.parse(fields) }
    try useEncoding(
      fields.first("grpc-encoding") ?? fields.first("connect-content-encoding"))
    return headMetadata
  }

  private mutating func bareHead(
    _ fields: HeaderFields, _ type: String
  ) throws(RPCError) -> Metadata {
    var initial = HeaderFields()
    var after = HeaderFields()
    for i in 0..<fields.count {
      let name = fields.name(i)
      if name.hasPrefix("trailer-") {
        after.append(String(name.dropFirst(8)), fields.value(i))
      } else {
        initial.append(name, fields.value(i))
      }
    }
    trailing = Metadata(fields: after)
    headMetadata = Metadata(fields: initial)
    try useEncoding(fields.first("content-encoding"))
    let expected = form.format == .json ? "application/json" : "application/proto"
    if httpStatus == 200 {
      if !type.hasPrefix(expected) {
        let isOther = type.hasPrefix("application/json") || type.hasPrefix("application/proto")
        throw RPCError(
          isOther ? .internalError : .unknown,
          "the server answers with another format: content-type \(type.prefix(64))")
      }
    } else if !type.hasPrefix("application/json") {
      throw refusal(fields)
    }
    return headMetadata
  }

  private mutating func useEncoding(_ name: String?) throws(RPCError) {
    guard let name, name != "identity" else { return }
    compression = form.acceptedCompressions.first { $0.name == name }
    if compression == nil {
      throw RPCError(
        .internalError, "the response is compressed with \(name.prefix(64)), which was not offered")
    }
  }

  private func refusal(_ fields: HeaderFields) -> RPCError {
    if let error = WireStatus.parse(fields), error.code != .ok { return error }
    return RPCError(
      StatusCode(httpStatus: httpStatus), "the server answered HTTP status \(httpStatus)")
  }

  /// Takes a piece of the body: the messages that it completes.
  mutating func body(_ data: borrowing Span<UInt8>) throws(RPCError) -> [[UInt8]] {
    if form.isBare(kind) {
      if body.count + data.count > limit {
        throw RPCError(
          .resourceExhausted, "the response is larger than the limit of \(limit) bytes")
      }
      data.withUnsafeBufferPointer { body.append(contentsOf: $0) }
      return []
    }
    var messages: [[UInt8]] = []
    var ends: [(UInt8, [UInt8])] = []
    let compression = self.compression
    let limit = self.limit
    let wireProtocol = form.wireProtocol
    var sawEnd = status != nil
    try envelopes.receive(data) { (flags, message) throws(RPCError) in
      if sawEnd {
        throw RPCError(.internalError, "the server sent more after the end of the stream")
      }
      let endFlag: UInt8 =
        switch wireProtocol {
        case .grpc: 0
        case .grpcWeb: 0x80
        case .connect: 2
        }
      if flags & ~(Envelope.compressedFlag | endFlag) != 0 {
        throw RPCError(.internalError, "a message has unknown flags: \(flags)")
      }
      var bytes: [UInt8]
      if flags & Envelope.compressedFlag != 0 {
        guard let compression else {
          throw RPCError(.internalError, "a compressed message, but the response names no encoding")
        }
        bytes = try compression.decompress(message, limit: limit)
      } else {
        bytes = message.withUnsafeBufferPointer { Array($0) }
      }
      if flags & endFlag != 0 {
        ends.append((flags, bytes))
        sawEnd = true
      } else {
        messages.append(bytes)
      }
      bytes = []
    }
    for (_, bytes) in ends { status = endOfBody(bytes) }
    return messages
  }

  private func endOfBody(_ bytes: [UInt8]) -> RPCError {
    if form.wireProtocol == .grpcWeb { return webTrailers(bytes) }
    guard let end = JSONReader.parse(bytes), case .object = end else {
      return RPCError(.internalError, "the end of the stream is malformed")
    }
    var error = RPCError(.ok, "")
    if let value = end["error"], case .object = value {
      error = Self.error(value, fallback: .unknown)
    }
    if case .object(let members)? = end["metadata"] {
      var fields = HeaderFields()
      for (name, values) in members.sorted(by: { $0.key < $1.key }) {
        guard case .array(let values) = values else { continue }
        for value in values { if let text = value.text { fields.append(name.lowercased(), text) } }
      }
      error.metadata = Metadata(fields: fields)
    }
    return error
  }

  private func webTrailers(_ bytes: [UInt8]) -> RPCError {
    var fields = HeaderFields()
    for line in bytes.split(whereSeparator: { $0 == 0x0d || $0 == 0x0a }) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
      let value = line[line.index(after: colon)...].drop { $0 == 0x20 }
      fields.append(name, String(decoding: value, as: UTF8.self))
    }
    return WireStatus.parse(fields)
      ?? RPCError(.internalError, "the server ended the call without a status")
  }

  /// Connect's JSON error.
  private static func error(_ value: JSONReader.Value, fallback: StatusCode) -> RPCError {
    let code = value["code"]?.text.flatMap { ConnectJSON.code(named: $0) } ?? fallback
    var error = RPCError(code, value["message"]?.text ?? "")
    if case .array(let details)? = value["details"] {
      for detail in details {
        guard let type = detail["type"]?.text,
          let bytes = detail["value"]?.text.flatMap({ Base64.decode($0, .peers) })
        else { continue }
        error.details.append(
          StatusDetail(typeURL: "type.googleapis.com/" + type, value: bytes))
      }
    }
    return error
  }

  /// The response ended with trailers.
  func trailers(_ fields: HeaderFields) -> RPCError {
    if let status { return status }
    guard envelopes.isAtBoundary else {
      return RPCError(.internalError, "the response ended in the middle of a message")
    }
    if let status = WireStatus.parse(fields) { return status }
    return RPCError(.internalError, "the server ended the call without a status")
  }

  /// The one header block there is was the whole response.
  mutating func headersOnly(_ fields: HeaderFields) -> ([UInt8]?, RPCError) {
    if form.wireProtocol != .connect, let status = WireStatus.parse(fields) { return (nil, status) }
    do throws(RPCError) { _ = try head(fields) } catch { return (nil, error) }
    return end()
  }

  /// The response ended without trailers: the message that is left, and the status.
  mutating func end() -> ([UInt8]?, RPCError) {
    if let status = status ?? headStatus { return (nil, status) }
    guard form.isBare(kind), httpStatus != 0 else {
      return (nil, RPCError(.internalError, "the server ended the call without a status"))
    }
    var whole = body
    body = []
    if let compression, !whole.isEmpty {
      do throws(RPCError) {
        whole = try compression.decompress(whole.span, limit: limit)
      } catch { return (nil, error) }
    }
    if httpStatus == 200 {
      var ok = RPCError(.ok, "")
      ok.metadata = trailing
      return (whole, ok)
    }
    let fallback = StatusCode(httpStatus: httpStatus)
    var error =
      JSONReader.parse(whole).flatMap { value -> RPCError? in
        guard case .object = value else { return nil }
        return Self.error(value, fallback: fallback)
      } ?? RPCError(fallback, "the server answered HTTP status \(httpStatus)")
    error.metadata = trailing
    return (nil, error)
  }
}
