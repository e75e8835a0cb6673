/// One .proto file: what it holds, registered once beside its binding. Server reflection and the
/// registry for `Any` are made of these.
public struct SchemaFile: Sendable {
  /// The path that other files import it by, such as `omni/management/v1/management.proto`.
  public let name: String
  public let package: String
  /// The files it imports, in its order.
  public let dependencies: [SchemaFile]
  /// Top-level and nested messages, in the order of the .proto; a nested one after the one that it
  /// stands in. Map entries are left out.
  public let messages: [any Message.Type]
  /// Top-level and nested enums, in the order of the .proto.
  public let enums: [any ProtoEnum.Type]
  public let services: [SchemaService]

  public init(
    _ name: String, package: String, dependencies: [SchemaFile] = [],
    messages: [any Message.Type] = [], enums: [any ProtoEnum.Type] = [],
    services: [SchemaService] = []
  ) {
    self.name = name
    self.package = package
    self.dependencies = dependencies
    self.messages = messages
    self.enums = enums
    self.services = services
  }

  /// The files and all that they depend on, each once, dependencies first.
  public static func closure(_ files: [SchemaFile]) -> [SchemaFile] {
    var seen: Set<String> = []
    var result: [SchemaFile] = []
    func visit(_ file: SchemaFile) {
      guard seen.insert(file.name).inserted else { return }
      for dependency in file.dependencies { visit(dependency) }
      result.append(file)
    }
    for file in files { visit(file) }
    return result
  }
}

/// One service of a .proto file.
public struct SchemaService: Sendable {
  /// The name within the package, such as `ManagementService`.
  public let name: String
  public let methods: [SchemaMethod]

  public init(_ name: String, _ methods: [SchemaMethod]) {
    self.name = name
    self.methods = methods
  }
}

/// One method of a service.
public struct SchemaMethod: Sendable {
  /// `option idempotency_level`, with the numbers of `MethodOptions.IdempotencyLevel`.
  public enum Idempotency: Int32, Sendable {
    case unknown = 0
    case noSideEffects = 1
    case idempotent = 2
  }

  public let name: String
  public let input: any Message.Type
  public let output: any Message.Type
  public let isClientStreaming: Bool
  public let isServerStreaming: Bool
  public let idempotency: Idempotency

  public init(
    _ name: String, _ input: any Message.Type, _ output: any Message.Type,
    clientStreaming: Bool = false, serverStreaming: Bool = false,
    idempotency: Idempotency = .unknown
  ) {
    self.name = name
    self.input = input
    self.output = output
    isClientStreaming = clientStreaming
    isServerStreaming = serverStreaming
    self.idempotency = idempotency
  }
}
