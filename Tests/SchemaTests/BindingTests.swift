import Foundation
import ProtoCodec
import Schema
import TestSchemas
import Testing

private let registered = SchemaFile.all + SchemaFile.testSchemas
/// Without the well-known types, whose properties have names of their own.
private let registeredHere = SchemaFolder.all.flatMap(\.files)

@Suite struct BindingTests {
  @Test("Every .proto has its binding, and every binding its .proto", arguments: SchemaFolder.all)
  func filesAreComplete(_ folder: SchemaFolder) throws {
    let files = try folder.paths(ending: ".proto")
    let bindings = try folder.paths(ending: ".swift").map(directory)
    #expect(files == folder.files.map(\.name).sorted())
    for file in files { #expect(bindings.contains(directory(of: file)), "\(file)") }
  }

  @Test("Every binding declares what protoc reads in its .proto", arguments: registered.map(\.name))
  func bindingMatchesProtoc(_ name: String) throws {
    let file = try #require(registered.first { $0.name == name })
    let home = SchemaFolder.all.first { $0.files.contains { $0.name == name } }
    let root = try #require(home ?? SchemaFolder.all.first).root
    let descriptor = try #require(try Protoc.describe([name], in: root)[name])
    let expected = SchemaDescription(descriptor).sentences
    let served = try FileDescriptorMessage(serialized: file.descriptor.serialized())
    let actual = SchemaDescription(served).sentences
    #expect(expected.count > 2)
    #expect(expected.subtracting(actual).sorted() == [], "not in the binding")
    #expect(actual.subtracting(expected).sorted() == [], "not in the .proto")
  }

  @Test("Every message and enum that is written down is registered", arguments: SchemaFolder.all)
  func everyTypeIsRegistered(_ folder: SchemaFolder) throws {
    var expected: Set<String> = []
    for file in registered {
      expected.formUnion(file.messages.map { $0.protoName })
      expected.formUnion(file.enums.map { $0.type.name })
    }
    let declaration = /(?:FieldTable<Self>|EnumType)\(\s*"([^"]+)"/
    // Of descriptor.proto, which is proto2, only parts are bound; no file that is served imports it.
    for path in try folder.paths(ending: ".swift") where !path.contains("protobuf/descriptor/") {
      let declared = try folder.text(of: path).matches(of: declaration).map { String($0.1) }
      for name in declared { #expect(expected.contains(name), "\(path)") }
    }
  }

  @Test("No two files, messages or enums share a name")
  func namesAreUnique() {
    let files = registered.map(\.name)
    #expect(Set(files).count == files.count)
    let types = registered.flatMap { file in
      file.messages.map { $0.protoName } + file.enums.map { $0.type.name }
    }
    #expect(Set(types).count == types.count)
  }

  @Test(
    "Every field is bound to the property that bears its name",
    arguments: registeredHere.map(\.name))
  func fieldsMeetTheirProperties(_ name: String) throws {
    let file = try #require(registered.first { $0.name == name })
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
    let files = Set(registered.map(\.name))
    for file in SchemaFile.closure(registered) { #expect(files.contains(file.name)) }
  }
}

private func directory(of path: String) -> String { (path as NSString).deletingLastPathComponent }

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
