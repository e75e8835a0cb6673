/// Why bytes are not a message of the expected type.
public struct DecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The bytes end within a field, or a length points behind the end.
    case truncated
    /// A varint of more than ten bytes.
    case malformedVarint
    /// A tag with field number 0, a wire type that does not exist, or a number that is too large.
    case invalidTag
    /// A group that ends without having begun, ends with another number, or does not end.
    case unbalancedGroup
    /// A `string` field that is not UTF-8.
    case invalidUTF8
    /// A packed list of fixed-size numbers whose length is not a multiple of that size.
    case malformedPackedField
    /// Messages within messages beyond `DecodingLimits.maximumDepth`.
    case tooDeep
    /// More than `DecodingLimits.maximumBytes`.
    case tooLarge
    /// More elements than `DecodingLimits.maximumMemory` allows.
    case tooManyElements
  }

  public var code: Code
  /// Where in the input it was noticed.
  public var offset: Int
  /// The full name of the innermost message.
  public var message: String
  /// The number of the field in that message; 0 when none had begun.
  public var field: Int

  init(_ code: Code, offset: Int = 0, message: String = "", field: Int = 0) {
    self.code = code
    self.offset = offset
    self.message = message
    self.field = field
  }

  public var description: String {
    let place = field == 0 ? "" : ", field \(field)"
    return "\(message)\(place): \(code.explanation) (at byte \(offset))"
  }
}

extension DecodingError.Code {
  var explanation: String {
    switch self {
    case .truncated: "the bytes end too early"
    case .malformedVarint: "a number has more than ten bytes"
    case .invalidTag: "not a valid field tag"
    case .unbalancedGroup: "a group is not balanced"
    case .invalidUTF8: "a string is not UTF-8"
    case .malformedPackedField: "a packed list has a part of an element"
    case .tooDeep: "messages are nested too deeply"
    case .tooLarge: "the message is too large"
    case .tooManyElements: "the message has too many elements"
    }
  }
}

/// What a decoder accepts from a peer that is not trusted.
public struct DecodingLimits: Sendable, Hashable {
  /// Levels of messages (and of unknown groups) within the outermost one.
  public var maximumDepth: Int
  /// Size of the input in bytes.
  public var maximumBytes: Int
  /// Memory in bytes that the elements of lists and maps may take. A list element of two bytes on
  /// the wire can be hundreds in memory; this keeps a small input from becoming a large value.
  public var maximumMemory: Int

  public init(
    maximumDepth: Int = 100, maximumBytes: Int = Int(Int32.max),
    maximumMemory: Int = 1 << 28
  ) {
    self.maximumDepth = maximumDepth
    self.maximumBytes = maximumBytes
    self.maximumMemory = maximumMemory
  }

  /// Depth 100 (as C++ protobuf), 2 GiB of input, 256 MiB of elements.
  public static let `default` = DecodingLimits()
}
