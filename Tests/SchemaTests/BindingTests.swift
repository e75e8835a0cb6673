import Foundation
import ProtoCodec
import Schema
import Testing

private let fileNames = SchemaFile.all.map(\.name)
/// Without the well-known types, whose properties have names of their own.
private let ownFileNames = fileNames.filter { !$0.hasPrefix("google/protobuf/") }

@Suite struct BindingTests {
  @Test("Every .proto has its binding, and every binding its .proto")
  func filesAreComplete() throws {
    let files = try SchemaFolder.proto.files(ending: ".proto")
    #expect(files == ownFileNames.sorted())
    for file in files {
      let folder = (file as NSString).deletingLastPathComponent
      let bindings = try SchemaFolder.proto.files(ending: ".swift")
      #expect(bindings.contains { ($0 as NSString).deletingLastPathComponent == folder }, "\(file)")
    }
  }

  @Test("Every binding declares what protoc reads in its .proto", arguments: fileNames)
  func bindingMatchesProtoc(_ name: String) throws {
    let file = try #require(SchemaFile.all.first { $0.name == name })
    let described = try Protoc.describe([file.name], in: SchemaFolder.proto.root)
    let descriptor = try #require(described[file.name])
    let expected = SchemaDescription(descriptor).sentences
    let actual = SchemaDescription(binding: file).sentences
    #expect(expected.count > 2)
    #expect(expected.subtracting(actual).sorted() == [], "not in the binding")
    #expect(actual.subtracting(expected).sorted() == [], "not in the .proto")
  }

  @Test("Every message and enum that is written down is registered")
  func everyTypeIsRegistered() throws {
    var registered: Set<String> = []
    for file in SchemaFile.all {
      registered.formUnion(file.messages.map { $0.protoName })
      registered.formUnion(file.enums.map { $0.type.name })
    }
    var declared: Set<String> = []
    let declaration = /(?:FieldTable<Self>|EnumType)\(\s*"([^"]+)"/
    for path in try SchemaFolder.proto.files(ending: ".swift") {
      let text = try SchemaFolder.proto.text(of: path)
      for match in text.matches(of: declaration) { declared.insert(String(match.1)) }
    }
    #expect(declared == registered)
  }

  @Test("No two files, messages or enums share a name")
  func namesAreUnique() {
    #expect(Set(fileNames).count == fileNames.count)
    let types = SchemaFile.all.flatMap { file in
      file.messages.map { $0.protoName } + file.enums.map { $0.type.name }
    }
    #expect(Set(types).count == types.count)
  }

  @Test("Every field is bound to the property that bears its name", arguments: ownFileNames)
  func fieldsMeetTheirProperties(_ name: String) throws {
    let file = try #require(SchemaFile.all.first { $0.name == name })
    for message in file.messages {
      for field in message.schema.fields {
        let (property, choice) = try changedProperty(of: message, bySending: field)
        let name = "\(message.protoName).\(field.name)"
        #expect(property == plain(field.oneof ?? field.name), "\(name)")
        if field.oneof != nil { #expect(choice == plain(field.name), "\(name)") }
      }
    }
  }

  @Test("Everything that a file imports is registered")
  func dependenciesAreRegistered() {
    for file in SchemaFile.closure(SchemaFile.all) { #expect(fileNames.contains(file.name)) }
  }
}

/// Decodes a message in which that field alone is set, and says which stored property is no longer
/// at its default; for a oneof also which case it has.
private func changedProperty<M: Message>(
  of type: M.Type, bySending field: FieldSchema
) throws -> (property: String, choice: String?) {
  let message = try M(serialized: field.sample)
  let before = Mirror(reflecting: M()).children.map { String(describing: $0.value) }
  let changed = zip(Mirror(reflecting: message).children, before).filter { child, old in
    String(describing: child.value) != old
  }
  let child = try #require(changed.first?.0, "\(M.protoName).\(field.name) changes nothing")
  #expect(changed.count == 1)
  let value = Mirror(reflecting: child.value).children.first?.value
  let choice = value.flatMap { Mirror(reflecting: $0).children.first?.label }
  return (plain(child.label ?? ""), choice.map(plain))
}

/// A name without what Swift and protobuf write differently.
private func plain(_ name: String) -> String { name.filter { $0 != "_" }.lowercased() }

extension FieldSchema {
  /// The field on the wire, with a value that is not its default.
  fileprivate var sample: [UInt8] {
    let payload: (wireType: Int, bytes: [UInt8]) =
      switch type {
      case .string, .bytes: (2, [1, 0x78])
      case .message: (2, [0])
      case .double, .fixed64, .sfixed64: (1, [0, 0, 0, 0, 0, 0, 0, 1])
      case .float, .fixed32, .sfixed32: (5, [0, 0, 0, 1])
      default: (0, [1])
      }
    var tag: [UInt8] = []
    var rest = number << 3 | payload.wireType
    while rest > 0x7F {
      tag.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return tag + [UInt8(rest)] + payload.bytes
  }
}
