import ProtoCodec
import Schema
import Synchronization

/// Which file declares what, and the files' descriptors. Built when it is first asked, so that a
/// server that nobody reflects upon does not pay for it.
final class ReflectionIndex: Sendable {
  let services: [String]
  private let files: [SchemaFile]
  private let built = Mutex<Contents?>(nil)
  private let descriptors = Mutex<[String: [UInt8]]>([:])

  fileprivate struct Contents: Sendable {
    var files: [String: SchemaFile] = [:]
    /// The file of every symbol, by its full name.
    var symbols: [String: String] = [:]
    var messages: Set<String> = []
  }

  init(services: [String], files: [SchemaFile]) {
    self.services = services.sorted()
    self.files = SchemaFile.closure(files)
  }

  func file(named name: String) -> SchemaFile? { contents.files[name] }

  /// The file that declares a service, method, message, field, oneof, enum or enum value.
  ///
  /// - Parameter symbol: the full name, with or without a leading dot.
  func file(containing symbol: String) -> SchemaFile? {
    let contents = contents
    return contents.symbols[Self.undotted(symbol)].flatMap { contents.files[$0] }
  }

  func holdsMessage(_ name: String) -> Bool { contents.messages.contains(Self.undotted(name)) }

  /// The file as a serialized `FileDescriptorProto`.
  func descriptor(of file: SchemaFile) -> [UInt8] {
    descriptors.withLock { descriptors in
      if let known = descriptors[file.name] { return known }
      let bytes = file.descriptor.serialized()
      descriptors[file.name] = bytes
      return bytes
    }
  }

  private static func undotted(_ name: String) -> String {
    name.hasPrefix(".") ? String(name.dropFirst()) : name
  }

  private var contents: Contents {
    built.withLock { built in
      if let built { return built }
      var contents = Contents()
      for file in files { contents.add(file) }
      built = contents
      return contents
    }
  }
}

extension ReflectionIndex.Contents {
  fileprivate mutating func add(_ file: SchemaFile) {
    files[file.name] = file
    for type in file.messages {
      let schema = type.schema
      messages.insert(schema.name)
      add(schema, file)
    }
    for type in file.enums { add(type.type, file) }
    for service in file.services {
      let name = file.package + "." + service.name
      symbols[name] = file.name
      for method in service.methods { symbols[name + "." + method.name] = file.name }
    }
  }

  private mutating func add(_ message: MessageSchema, _ file: SchemaFile) {
    symbols[message.name] = file.name
    for field in message.fields {
      symbols[message.name + "." + field.name] = file.name
      if let oneof = field.oneof { symbols[message.name + "." + oneof] = file.name }
      if let entry = field.mapEntry { symbols[message.name + "." + entry.name] = file.name }
    }
  }

  /// The values of an enum are siblings of the enum, not its children (C++ scoping).
  private mutating func add(_ type: EnumType, _ file: SchemaFile) {
    symbols[type.name] = file.name
    let scope = type.name.split(separator: ".").dropLast().joined(separator: ".")
    for value in type.values { symbols[scope + "." + value.name] = file.name }
  }
}
