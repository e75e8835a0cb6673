import ConformanceTypes
import ProtoCodec

/// The codec, on the message that has a field of every kind.
enum ProtoTargets {
  static let binary = FuzzTarget("proto-binary") { bytes in
    guard let message = try? TestAllTypesProto3(serialized: bytes) else { return }
    let written = message.serialized()
    try require(written.count == message.serializedCount, "the size is not what was written")
    let again: TestAllTypesProto3
    do {
      again = try TestAllTypesProto3(serialized: written)
    } catch {
      throw Violation("what was written is refused: \(error)")
    }
    try require(again.serialized().count == written.count, "written twice, another size")
    // NaN is not equal to itself, unless it stands in the very same array.
    if let twin = try? TestAllTypesProto3(serialized: written), twin == again {
      try require(again == message, "read back, another message")
      try checkMerge(message, written)
    }
    try checkJSON(again)
  }

  /// Two texts one behind the other are the merge of their messages.
  private static func checkMerge(
    _ message: TestAllTypesProto3, _ written: [UInt8]
  ) throws(Violation) {
    guard let joined = try? TestAllTypesProto3(serialized: written + written) else { return }
    var merged = message
    do {
      try merged.merge(serialized: written)
    } catch {
      throw Violation("joined it is read, merged it is refused: \(error)")
    }
    try require(joined == merged, "joined and merged differ")
  }

  static let json = FuzzTarget("proto-json") { bytes in
    var options = JSONDecodingOptions()
    options.types = .conformance
    options.ignoresUnknown = bytes.first.map { $0 & 1 == 1 } ?? false
    guard
      let message = try? TestAllTypesProto3(json: Array(bytes.dropFirst()), options: options)
    else { return }
    let text = try write(message)
    guard let text else { throw Violation("what was read from JSON cannot be written") }
    try require(try read(text) == text, "read from JSON and written, it changes")
    let binary: TestAllTypesProto3
    do {
      binary = try TestAllTypesProto3(serialized: message.serialized())
    } catch {
      throw Violation("read from JSON, its binary form is refused: \(error)")
    }
    try require(try write(binary) == text, "through the binary form it changes")
  }

  /// JSON either cannot hold the message, or holds all of it but for unknown fields.
  private static func checkJSON(_ message: TestAllTypesProto3) throws(Violation) {
    guard let text = try write(message) else { return }
    try require(try read(text) == text, "through JSON it changes")
  }

  private static func write(_ message: TestAllTypesProto3) throws(Violation) -> String? {
    var options = JSONEncodingOptions()
    options.types = .conformance
    guard let text = try? message.json(options) else { return nil }
    do {
      _ = try JSONValue(parsing: text)
    } catch {
      throw Violation("the JSON that was written is none: \(error)")
    }
    return text
  }

  private static func read(_ text: String) throws(Violation) -> String? {
    var options = JSONDecodingOptions()
    options.types = .conformance
    do {
      return try write(try TestAllTypesProto3(json: text, options: options))
    } catch let error as Violation {
      throw error
    } catch {
      throw Violation("the JSON that was written is refused: \(error)")
    }
  }

  static let value = FuzzTarget("json-value") { bytes in
    guard let value = try? JSONValue(parsing: bytes) else { return }
    for pretty in [false, true] {
      let text = value.utf8(pretty: pretty)
      do {
        let again = try JSONValue(parsing: text)
        try require(again == value, "read back, another value")
        try require(again.utf8(pretty: pretty) == text, "written twice, another text")
      } catch let error as JSONDecodingError {
        throw Violation("what was written is refused: \(error)")
      }
    }
  }
}
