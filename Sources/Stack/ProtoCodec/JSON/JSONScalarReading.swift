import Encodings

// Scalars from JSON into memory.

extension JSONReader {
  /// A value that is stored as it is.
  func scalar(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    switch field.type {
    case .double: address.storeBytes(of: try double(value), as: Double.self)
    case .float: address.storeBytes(of: try float(value), as: Float.self)
    case .int64, .sint64, .sfixed64: address.storeBytes(of: try int64(value), as: Int64.self)
    case .uint64, .fixed64: address.storeBytes(of: try uint64(value), as: UInt64.self)
    case .int32, .sint32, .sfixed32: address.storeBytes(of: try int32(value), as: Int32.self)
    case .uint32, .fixed32: address.storeBytes(of: try uint32(value), as: UInt32.self)
    case .bool: address.storeBytes(of: try bool(value), as: Bool.self)
    case .string: address.assumingMemoryBound(to: String.self).pointee = try string(value)
    case .bytes, .message:
      address.assumingMemoryBound(to: [UInt8].self).pointee = try bytes(value)
    case .enumeration:
      address.storeBytes(of: try enumeration(field.enumeration!(), value), as: Int32.self)
    }
  }

  /// A value that is stored in an `Optional`.
  func optional(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    switch field.type {
    case .double: address.storeBytes(of: try double(value), as: Double?.self)
    case .float: address.storeBytes(of: try float(value), as: Float?.self)
    case .int64, .sint64, .sfixed64: address.storeBytes(of: try int64(value), as: Int64?.self)
    case .uint64, .fixed64: address.storeBytes(of: try uint64(value), as: UInt64?.self)
    case .int32, .sint32, .sfixed32: address.storeBytes(of: try int32(value), as: Int32?.self)
    case .uint32, .fixed32: address.storeBytes(of: try uint32(value), as: UInt32?.self)
    case .bool: address.storeBytes(of: try bool(value), as: Bool?.self)
    case .string: address.assumingMemoryBound(to: String?.self).pointee = try string(value)
    case .bytes, .message:
      address.assumingMemoryBound(to: [UInt8]?.self).pointee = try bytes(value)
    case .enumeration:
      address.storeBytes(of: try enumeration(field.enumeration!(), value), as: Int32?.self)
    }
  }

  /// One more element of an array.
  mutating func listElement(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    func append<Element>(_ element: Element) {
      address.assumingMemoryBound(to: [Element].self).pointee.append(element)
    }
    try spend(16)
    switch field.type {
    case .double: append(try double(value))
    case .float: append(try float(value))
    case .int64, .sint64, .sfixed64: append(try int64(value))
    case .uint64, .fixed64: append(try uint64(value))
    case .int32, .sint32, .sfixed32: append(try int32(value))
    case .uint32, .fixed32: append(try uint32(value))
    case .bool: append(try bool(value))
    case .string: append(try string(value))
    case .bytes, .message: append(try bytes(value))
    case .enumeration: append(try enumeration(field.enumeration!(), value))
    }
  }

  /// A map's key, which JSON has as a string.
  func mapKey(
    _ field: FieldDefinition, _ key: String, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    if field.type == .bool {
      switch key {
      case "true": address.storeBytes(of: true, as: Bool.self)
      case "false": address.storeBytes(of: false, as: Bool.self)
      default: throw JSONDecodingError(.invalidValue, "a key must be \"true\" or \"false\"")
      }
    } else {
      try scalar(field, .string(key), into: address)
    }
  }
}

// MARK: - Values

extension JSONReader {
  private func wrongKind(_ expected: String, _ value: JSONValue) -> JSONDecodingError {
    JSONDecodingError(.wrongKind, "\(expected) was expected, not \(value.kind)")
  }

  /// A number, or a string that holds one.
  private func number(_ value: JSONValue) throws(JSONDecodingError) -> JSONNumber {
    switch value {
    case .number(let number): return number
    case .string(let text):
      guard let number = JSONNumber(parsing: text) else {
        throw JSONDecodingError(.invalidValue, "the string does not hold a number")
      }
      return number
    default: throw wrongKind("a number", value)
    }
  }

  private func int64(_ value: JSONValue) throws(JSONDecodingError) -> Int64 {
    guard let integer = try number(value).int64 else {
      throw JSONDecodingError(.outOfRange, "not an integer of 64 bits")
    }
    return integer
  }

  private func uint64(_ value: JSONValue) throws(JSONDecodingError) -> UInt64 {
    guard let integer = try number(value).uint64 else {
      throw JSONDecodingError(.outOfRange, "not an unsigned integer of 64 bits")
    }
    return integer
  }

  private func int32(_ value: JSONValue) throws(JSONDecodingError) -> Int32 {
    guard let integer = try number(value).int64.flatMap(Int32.init(exactly:)) else {
      throw JSONDecodingError(.outOfRange, "not an integer of 32 bits")
    }
    return integer
  }

  private func uint32(_ value: JSONValue) throws(JSONDecodingError) -> UInt32 {
    guard let integer = try number(value).uint64.flatMap(UInt32.init(exactly:)) else {
      throw JSONDecodingError(.outOfRange, "not an unsigned integer of 32 bits")
    }
    return integer
  }

  private func double(_ value: JSONValue) throws(JSONDecodingError) -> Double {
    switch value {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      guard let double = try number(value).double else {
        throw JSONDecodingError(.outOfRange, "beyond what a double holds")
      }
      return double
    }
  }

  private func float(_ value: JSONValue) throws(JSONDecodingError) -> Float {
    switch value {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      guard let float = Float(try number(value).text), float.isFinite else {
        throw JSONDecodingError(.outOfRange, "beyond what a float holds")
      }
      return float
    }
  }

  private func bool(_ value: JSONValue) throws(JSONDecodingError) -> Bool {
    guard case .bool(let bool) = value else { throw wrongKind("a boolean", value) }
    return bool
  }

  private func string(_ value: JSONValue) throws(JSONDecodingError) -> String {
    guard case .string(let string) = value else { throw wrongKind("a string", value) }
    return string
  }

  private func bytes(_ value: JSONValue) throws(JSONDecodingError) -> [UInt8] {
    // In either alphabet, with padding or without; bits that no byte is made of are not looked at.
    let rules = Base64.Rules(digits: .standardAndURL, padding: .optional, trailingBits: .any)
    guard let bytes = Base64.decode(try string(value), rules) else {
      throw JSONDecodingError(.invalidValue, "the string is not base64")
    }
    return bytes
  }

  private func enumeration(
    _ type: EnumType, _ value: JSONValue
  ) throws(JSONDecodingError) -> Int32 {
    switch value {
    case .null where type.isJSONNull: return 0
    case .string(let name):
      guard let number = type.number(of: name) else {
        throw JSONDecodingError(.invalidValue, "\(type.name) has no value of this name")
      }
      return number
    case .number(let number):
      guard let value = number.int64.flatMap(Int32.init(exactly:)) else {
        throw JSONDecodingError(.outOfRange, "not a number of an enum")
      }
      return value
    default: throw wrongKind("the name of an enum's value", value)
    }
  }
}
