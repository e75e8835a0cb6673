internal import Encodings

/// PEM text (RFC 7468): blocks of base64 between BEGIN and END lines.
///
/// Reading is more tolerant than the RFC where files in the field need it: text around the blocks
/// is skipped, and a block may begin right behind the one before it, without a line break, since
/// Talos joins lists of PEM texts with nothing between them.
enum PEM {
  struct Block {
    var label: String
    var contents: [UInt8]
  }

  /// More than any bundle has; a bound on what is read.
  static let maximumTextSize = 4 << 20

  /// All blocks of `text`, in order.
  ///
  /// - Throws: `.malformed` when a block is not closed or not base64, `.unsupported` when a block
  ///   has header
  ///   lines (as encrypted keys of the old kind have), `.limitExceeded` for a text beyond 4 MiB.
  static func blocks(of text: String) throws(CryptoError) -> [Block] {
    var bytes = Array(text.utf8)
    defer { bytes.wipe() }
    return try blocks(of: bytes)
  }

  /// As `blocks(of:)` for text, on its UTF-8 bytes.
  static func blocks(of bytes: [UInt8]) throws(CryptoError) -> [Block] {
    guard bytes.count <= maximumTextSize else {
      throw CryptoError(.limitExceeded, "the PEM text is larger than 4 MiB")
    }
    var blocks: [Block] = []
    var position = 0
    while let begin = find(beginMark, in: bytes, from: position) {
      let labelStart = begin + beginMark.count
      guard let labelEnd = find(dashes, in: bytes, from: labelStart), labelEnd - labelStart <= 64
      else { throw CryptoError(.malformed, "a PEM block has no complete BEGIN line") }
      let label = bytes[labelStart..<labelEnd]
      let bodyStart = labelEnd + dashes.count
      guard let end = find(endMark, in: bytes, from: bodyStart) else {
        throw CryptoError(.malformed, "a PEM block has no END line")
      }
      let closing = end + endMark.count
      guard bytes[closing...].starts(with: label),
        bytes[(closing + label.count)...].starts(with: dashes)
      else { throw CryptoError(.malformed, "a PEM block's END line does not match its BEGIN line") }
      let name = String(decoding: label, as: UTF8.self)
      blocks.append(Block(label: name, contents: try contents(bytes[bodyStart..<end])))
      position = closing + label.count + dashes.count
    }
    return blocks
  }

  /// One block with lines of 64 characters, ending in a line break.
  static func text(label: String, _ contents: [UInt8]) -> String {
    String(decoding: bytes(label: label, contents), as: UTF8.self)
  }

  /// As `text(label:_:)`, in UTF-8 bytes; leaves no other copy behind.
  static func bytes(label: String, _ contents: [UInt8]) -> [UInt8] {
    var body = Base64.encodedBytes(contents)
    defer { body.wipe() }
    var text = Array("-----BEGIN \(label)-----\n".utf8)
    text.reserveCapacity(2 * text.count + body.count + body.count / 64 + 2)
    var index = 0
    while index < body.count {
      let end = min(index + 64, body.count)
      text += body[index..<end]
      text.append(0x0a)
      index = end
    }
    text += Array("-----END \(label)-----\n".utf8)
    return text
  }

  private static let beginMark = Array("-----BEGIN ".utf8)
  private static let endMark = Array("-----END ".utf8)
  private static let dashes = Array("-----".utf8)

  private static func contents(_ body: ArraySlice<UInt8>) throws(CryptoError) -> [UInt8] {
    guard !body.contains(0x3a) else {
      throw CryptoError(
        .unsupported, "a PEM block has header lines: an encrypted key is not supported")
    }
    guard let contents = Base64.decode(body, Base64.Rules(whiteSpace: .skipped)) else {
      throw CryptoError(.malformed, "a PEM block is not valid base64")
    }
    return contents
  }

  private static func find(_ mark: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= mark.count else { return nil }
    var index = start
    while index <= bytes.count - mark.count {
      if bytes[index] == mark[0], bytes[index...].starts(with: mark) { return index }
      index += 1
    }
    return nil
  }
}
