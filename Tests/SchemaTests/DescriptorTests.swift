import Foundation
import ProtoCodec
import Schema
import TestSchemas
import Testing

@Suite("Descriptors for server reflection")
struct DescriptorTests {
  @Test(
    "Each registered file describes itself as protoc does",
    arguments: (SchemaFile.all + SchemaFile.testSchemas).map(\.name))
  func sameAsProtoc(_ name: String) throws {
    let files = SchemaFile.all + SchemaFile.testSchemas
    let file = try #require(files.first { $0.name == name })
    let theirs = try protoc(name)
    // Through the wire, as a client of reflection gets it.
    let ours = try FileDescriptorProto(serialized: file.descriptor.serialized())
    #expect(ours.differences(from: theirs) == [])
    #expect(ours.messageType.count == theirs.messageType.count)
  }

  @Test("Differences are seen")
  func differences() throws {
    let file = SchemaFile.management.descriptor
    #expect(file.differences(from: file) == [])
    var other = file
    other.messageType[0].field[0].number = 77
    other.messageType[1].field.removeLast()
    other.enumType[0].value[0].number = 5
    other.service[0].method[0].serverStreaming = true
    other.dependency.append("x.proto")
    let lines = file.differences(from: other)
    #expect(lines.count == 5, "\(lines)")
    #expect(lines.contains { $0.contains("number 1 ") && $0.contains("number 77 ") })
    #expect(other.differences(from: file).count == 5)
  }

  @Test("A closure of files has each once, dependencies first")
  func closure() {
    let names = SchemaFile.closure([.management, .journal, .management]).map(\.name)
    #expect(Set(names).count == names.count)
    for file in SchemaFile.closure([.management, .journal]) {
      for dependency in file.dependencies {
        #expect(names.firstIndex(of: dependency.name)! < names.firstIndex(of: file.name)!)
      }
    }
  }

  private func protoc(_ name: String) throws -> FileDescriptorProto {
    let home = SchemaFolder.all.first { $0.files.contains { $0.name == name } }
    let root = try #require(home ?? SchemaFolder.all.first).root
    let set = try Schema.FileDescriptorSet(serialized: Protoc.descriptorSet([name], in: root))
    return try #require(set.file.first)
  }
}
