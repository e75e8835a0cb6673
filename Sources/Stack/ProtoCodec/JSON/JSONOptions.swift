/// How a message is written as JSON. The defaults are the canonical form.
public struct JSONEncodingOptions: Sendable {
  /// The names of the .proto (`started_at`) in place of lowerCamelCase (`startedAt`).
  public var usesProtoNames = false
  /// Also writes fields that hold their default: zero, "", empty lists and maps. Fields with
  /// presence that are not set stay away.
  public var writesDefaults = false
  /// Enum values as numbers.
  public var writesEnumsAsNumbers = false
  /// Line breaks, and two spaces of indentation per level.
  public var isPretty = false
  /// The types that an `Any` can be written of.
  public var types = TypeRegistry()

  public init() {}

  public static let `default` = JSONEncodingOptions()

  /// For people: pretty, and with defaults.
  public static var readable: Self {
    var options = Self()
    options.isPretty = true
    return options
  }
}

/// How JSON is read into a message.
public struct JSONDecodingOptions: Sendable {
  /// Fields that the message does not have are skipped, and so are enum values with names that
  /// the schema does not have.
  public var ignoresUnknown = false
  /// Levels of arrays and objects, and of messages.
  public var maximumDepth = 100
  /// Size of the text in bytes.
  public var maximumBytes = 1 << 28
  /// Memory in bytes that the elements of lists and maps may take.
  public var maximumMemory = 1 << 28
  /// The types that an `Any` can be read of.
  public var types = TypeRegistry()

  public init() {}

  public static let `default` = JSONDecodingOptions()
}

/// Message types by their full name, for `google.protobuf.Any`.
public struct TypeRegistry: Sendable {
  private var types: [String: any Message.Type] = [:]

  public init() {}

  public init(_ types: [any Message.Type]) {
    for type in types { self.types[type.protoName] = type }
  }

  /// Every message of the files and of the files they depend on.
  public init(files: [SchemaFile]) {
    for file in SchemaFile.closure(files) {
      for type in file.messages { types[type.protoName] = type }
    }
  }

  /// The type of an `Any`: what stands behind the last slash of its URL.
  public func type(forURL url: String) -> (any Message.Type)? {
    guard let slash = url.lastIndex(of: "/") else { return nil }
    return types[String(url[url.index(after: slash)...])]
  }

  /// The type with a full name.
  public func type(named name: String) -> (any Message.Type)? { types[name] }
}
