import Foundation
import ProtoCodec
import Schema
import Testing

/// One line of Vectors/vectors.txt, which Python's protobuf has written.
struct Vector: Sendable, CustomTestStringConvertible {
  /// What the line shows; see Vectors/generate.py.
  let kind: String
  /// The full name of the message.
  let name: String
  let columns: [String]
  let line: Int

  var testDescription: String { "line \(line): \(kind) \(name)" }

  /// The message type.
  func type() throws -> any Message.Type {
    guard let type = vectorTypes.type(named: name) else { throw UnknownType(name: name) }
    return type
  }

  struct UnknownType: Error {
    var name: String
  }

  /// A column that holds bytes in hexadecimal.
  func bytes(_ column: Int) -> [UInt8] {
    let digits = Array(columns[column].utf8)
    return stride(from: 0, to: digits.count, by: 2).map { position in
      UInt8(String(decoding: digits[position..<(position + 2)], as: UTF8.self), radix: 16)!
    }
  }

  static let all: [Vector] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Vectors/vectors.txt")
    // swift-format-ignore: NeverUseForceTry
    let text = try! String(contentsOf: path, encoding: .utf8)
    return text.split(separator: "\n").enumerated().map { index, line in
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Vector(
        kind: columns[0], name: columns[1], columns: Array(columns.dropFirst(2)), line: index + 1)
    }
  }()

  static func of(_ kinds: String...) -> [Vector] { all.filter { kinds.contains($0.kind) } }
}

/// The message types that the vectors are of.
let vectorTypes = TypeRegistry(
  [
    Scalars.self, Optionals.self, Lists.self, Unpacked.self, Maps.self, Choices.self, Node.self,
    OldNode.self, AnyMessage.self, ProtoDuration.self, Empty.self, FieldMask.self, ProtoStruct.self,
    ProtoValue.self, ProtoListValue.self, Timestamp.self, DoubleValue.self, FloatValue.self,
    Int64Value.self, UInt64Value.self, Int32Value.self, UInt32Value.self, BoolValue.self,
    StringValue.self, BytesValue.self,
  ])

extension JSONEncodingOptions {
  static var vectors: Self {
    var options = Self()
    options.types = vectorTypes
    return options
  }
}

extension JSONDecodingOptions {
  static var vectors: Self {
    var options = Self()
    options.types = vectorTypes
    return options
  }
}
