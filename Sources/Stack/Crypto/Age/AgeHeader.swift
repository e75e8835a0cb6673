internal import Encodings

/// The beginning of an age file: who finds the file key in it, and how (https://c2sp.org/age, "Header").
struct AgeHeader {
  /// The file key, wrapped for one recipient.
  struct Stanza: Equatable {
    static let x25519 = "X25519"
    static let scrypt = "scrypt"

    var type: String
    var arguments: [String] = []
    var body: [UInt8]
  }

  /// The longest header that is read, in bytes.
  static let sizeLimit = 16 << 10
  /// The most stanzas that are read.
  static let stanzaLimit = 64
  private static let columns = 64
  private static let end = Array("---".utf8)

  var stanzas: [Stanza] = []
  /// The code over what is authenticated, which only a holder of the file key can make.
  private var code: [UInt8] = []
  private var authenticated: [UInt8] = []
  /// Bytes of the header, with its last line's end.
  private(set) var size = 0

  /// Reads the header of a file. Nothing that it says has been authenticated yet.
  ///
  /// - Throws: `.malformed` for what is no header, also where only its base64 is not canonical, `.unsupported` for one of a
  ///   later version, `.limitExceeded`.
  init(_ file: [UInt8]) throws(CryptoError) {
    var rest = file.prefix(Self.sizeLimit)
    /// The next line without its end.
    func nextLine() throws(CryptoError) -> ArraySlice<UInt8> {
      guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
        guard file.count <= Self.sizeLimit else {
          throw CryptoError(.limitExceeded, "the header of the age file is longer than 16 KiB")
        }
        throw CryptoError(.malformed, "the age file ends before it is whole")
      }
      defer { rest = rest[(end + 1)...] }
      return rest[..<end]
    }
    let first = try nextLine()
    guard first.starts(with: AgeFile.version.utf8) else {
      throw CryptoError(.malformed, "the file is no age file")
    }
    guard first.dropFirst(AgeFile.version.utf8.count).elementsEqual("v1".utf8) else {
      throw CryptoError(.unsupported, "the age file is of a later version of the format than v1")
    }
    while true {
      let line = try nextLine()
      if line.starts(with: Self.end) {
        guard line.dropFirst(3).first == UInt8(ascii: " "),
          let code = Self.bytes(ofBase64: line.dropFirst(4)),
          code.count == MessageAuthenticator.codeSize, !stanzas.isEmpty
        else { throw Self.damaged }
        self.code = code
        authenticated = Array(file[..<(line.startIndex + 3)])
        size = line.endIndex + 1
        return
      }
      guard stanzas.count < Self.stanzaLimit else {
        throw CryptoError(
          .limitExceeded, "the age file is encrypted to more than \(Self.stanzaLimit) recipients")
      }
      guard line.starts(with: "-> ".utf8) else { throw Self.damaged }
      let words = line.dropFirst(3).split(
        separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard words.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x21...0x7e).contains($0) } }) else {
        throw Self.damaged
      }
      let texts = words.map { String(decoding: $0, as: UTF8.self) }
      var body: [UInt8] = []
      var isOver = false
      while !isOver {
        let text = try nextLine()
        guard text.count <= Self.columns, let piece = Self.bytes(ofBase64: text) else {
          throw Self.damaged
        }
        body += piece
        isOver = text.count < Self.columns
      }
      stanzas.append(Stanza(type: texts[0], arguments: Array(texts.dropFirst()), body: body))
    }
  }

  /// The header of a file.
  static func written(_ stanzas: [Stanza], fileKey: SecretBytes) throws(CryptoError) -> [UInt8] {
    var text = "\(AgeFile.version)v1\n"
    for stanza in stanzas {
      text += "-> \(([stanza.type] + stanza.arguments).joined(separator: " "))\n"
      var body = base64(stanza.body)[...]
      while body.utf8.count >= columns {
        text += "\(body.prefix(columns))\n"
        body = body.dropFirst(columns)
      }
      text += "\(body)\n"
    }
    text += "---"
    let code = try authenticator(fileKey).code(for: Array(text.utf8))
    return Array("\(text) \(base64(code))\n".utf8)
  }

  /// Whether somebody with the file key has written this header.
  func isAuthentic(_ fileKey: SecretBytes) throws(CryptoError) -> Bool {
    try Self.authenticator(fileKey).accepts(code, for: authenticated)
  }

  private static func authenticator(
    _ fileKey: SecretBytes
  ) throws(CryptoError) -> MessageAuthenticator {
    MessageAuthenticator(
      key: try KeyDerivation.key(from: fileKey, purpose: Array("header".utf8)))
  }

  private static let damaged = CryptoError(.malformed, "the header of the age file is damaged")

  // MARK: - Base64

  /// Base64 without padding, in a line that is not broken.
  static func base64(_ bytes: [UInt8]) -> String {
    String(Base64.encode(bytes).prefix { $0 != "=" })
  }

  /// Nil for what is not the one way to write its bytes.
  static func bytes(ofBase64 text: some Collection<UInt8>) -> [UInt8]? {
    let missing = (4 - text.count % 4) % 4
    guard missing < 3, !text.contains(UInt8(ascii: "=")) else { return nil }
    return Base64.decode(Array(text) + [UInt8](repeating: UInt8(ascii: "="), count: missing))
  }
}
