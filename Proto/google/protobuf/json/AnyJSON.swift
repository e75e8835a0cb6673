public import ProtoCodec

/// The packed message's own form with the member `@type` added; well-known types stand in the
/// member `value`.
extension AnyMessage: CustomJSONMessage {
  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    writer.beginObject()
    if !typeURL.isEmpty {
      guard let type = writer.types.type(forURL: typeURL) else {
        throw JSONEncodingError("an Any holds a type that is not known here")
      }
      writer.key("@type")
      writer.string(typeURL)
      try writeContent(as: type, to: &writer)
    } else if !value.isEmpty {
      throw JSONEncodingError("an Any does not name its type")
    }
    writer.endObject()
  }

  private func writeContent<Packed: Message>(
    as type: Packed.Type, to writer: inout JSONWriter
  ) throws(JSONEncodingError) {
    let message: Packed
    do throws(DecodingError) {
      message = try Packed(serialized: value)
    } catch {
      throw JSONEncodingError("what an Any holds is not of its type: \(error)")
    }
    if type is any CustomJSONMessage.Type {
      writer.key("value")
      try writer.message(message)
    } else {
      try writer.members(of: message)
    }
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .object(var object) = value else {
      throw JSONDecodingError(.wrongKind, "an object was expected, not \(value.kind)")
    }
    self.init()
    guard let name = object["@type"] else {
      if object.isEmpty { return }
      throw JSONDecodingError(.invalidValue, "an Any needs the member @type")
    }
    guard case .string(let url) = name else {
      throw JSONDecodingError(.wrongKind, "@type must be a string, not \(name.kind)")
    }
    guard let type = reader.options.types.type(forURL: url) else {
      throw JSONDecodingError(.unknownType, "an Any holds a type that is not known here")
    }
    typeURL = url
    object["@type"] = nil
    self.value = try AnyMessage.content(as: type, object, &reader)
  }

  private static func content<Packed: Message>(
    as type: Packed.Type, _ object: JSONObject, _ reader: inout JSONReader
  ) throws(JSONDecodingError) -> [UInt8] {
    guard type is any CustomJSONMessage.Type else {
      return try reader.message(type, from: .object(object)).serialized()
    }
    guard let value = object["value"], object.count == 1 || reader.options.ignoresUnknown else {
      throw JSONDecodingError(.invalidValue, "\(type.protoName) stands in the member value alone")
    }
    return try reader.message(type, from: value).serialized()
  }
}
