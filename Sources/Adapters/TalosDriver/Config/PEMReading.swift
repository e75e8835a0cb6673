import Crypto
import Encodings

/// PEM texts as Talos reads them: joined without a separator, then block by block by Go's rules.
///
/// Talos hands lists of CAs on as `bytes.Join(list, nil)` and reads them with
/// `x509.CertPool.AppendCertsFromPEM`, which calls `encoding/pem.Decode` until nothing is left:
///
/// - A block's BEGIN line begins a line: it stands at the start of the text or behind a line feed. One
///   that follows `-----END CERTIFICATE-----` on the same line is none, and that END line, which has
///   to end its line, is none either: neither block is read.
/// - Of several BEGIN lines before an END line the last one counts.
/// - Lines with a colon behind the BEGIN line are headers. A CERTIFICATE block with headers is skipped.
/// - A block whose END line names another label, or whose body is not base64, is skipped, and reading
///   goes on behind its END line.
/// - Blocks of another label and blocks that hold no certificate are skipped.
enum PEMReading {
  /// One block that Go's `pem.Decode` returns.
  struct Block {
    var label: String
    var hasHeaders: Bool
    var contents: [UInt8]
    /// From the BEGIN line to the line break of the END line, in bytes of the text.
    var range: Range<Int>
  }

  /// The certificates that Talos reads out of a list, in order.
  ///
  /// - Returns: `unreadable` counts the BEGIN lines of certificates that Go or OpenSSL could not read. A
  ///   list with such is not known whole: more may be trusted than `certificates` says.
  static func certificates(
    joining texts: [String]
  ) -> (certificates: [Certificate], unreadable: Int) {
    var joined: [UInt8] = []
    for text in texts { joined += Array(text.utf8) }
    let reading = blocks(of: joined)
    var certificates: [Certificate] = []
    var unreadable = reading.lost
    for block in reading.blocks where isCertificate(block.label) {
      if let certificate = certificate(of: block) {
        certificates.append(certificate)
      } else {
        unreadable += 1
      }
    }
    return (certificates, unreadable)
  }

  /// The certificate of a block, if `AppendCertsFromPEM` takes it and OpenSSL reads it.
  static func certificate(of block: Block) -> Certificate? {
    guard block.label == "CERTIFICATE", !block.hasHeaders else { return nil }
    return try? SeenCertificates.shared.certificate(der: block.contents)
  }

  /// Whether some reader may take a block of this label for a certificate: OpenSSL also reads
  /// `TRUSTED CERTIFICATE` and `X509 CERTIFICATE`.
  static func isCertificate(_ label: String) -> Bool {
    label.contains("CERTIFICATE") && !label.contains("REQUEST")
  }

  /// The blocks that Go's `pem.Decode` finds in a text. Time grows with the text, not faster.
  ///
  /// - Returns: `lost` counts the BEGIN lines that belong to no block and may be a certificate's.
  static func blocks(of text: [UInt8]) -> (blocks: [Block], lost: Int) {
    let begins = places(of: beginMark, in: text)
    var blocks: [Block] = []
    var taken: Set<Int> = []
    var rest = 0
    var next = 0
    for end in places(of: endMark, in: text) where end >= rest {
      var begin: Int?
      while next < begins.count, begins[next] + beginMark.count <= end {
        if begins[next] >= rest { begin = begins[next] }
        next += 1
      }
      rest = end + endMark.count
      guard let begin, begin == 0 || text[begin - 1] == 0x0A,
        let block = block(from: begin, end: end, in: text)
      else { continue }
      blocks.append(block)
      taken.insert(begin)
      rest = block.range.upperBound
    }
    let lost = begins.count { begin in
      guard !taken.contains(begin) else { return false }
      let line = Lines.line(at: begin + beginMark.count, in: text).text
      return !line.hasSuffix("-----") || isCertificate(line)
    }
    return (blocks, lost)
  }

  private static let beginMark = Array("-----BEGIN ".utf8)
  private static let endMark = Array("\n-----END ".utf8)

  private static func block(from begin: Int, end: Int, in text: [UInt8]) -> Block? {
    let first = Lines.line(at: begin + beginMark.count, in: text)
    guard first.text.hasSuffix("-----") else { return nil }
    let label = String(first.text.dropLast(5))
    var body = first.next
    var hasHeaders = false
    while body <= end {
      let line = Lines.line(at: body, in: text)
      guard line.text.utf8.contains(UInt8(ascii: ":")) else { break }
      hasHeaders = true
      body = line.next
    }
    // Without headers the END line may follow the BEGIN line at once.
    guard body <= end + 1 else { return nil }
    let closing = Lines.line(at: end + endMark.count, in: text)
    guard closing.text == label + "-----" else { return nil }
    guard let contents = Base64.decode(text[min(body, end)..<end], .folded) else { return nil }
    return Block(
      label: label, hasHeaders: hasHeaders, contents: contents, range: begin..<closing.next)
  }

  private static func places(of mark: [UInt8], in text: [UInt8]) -> [Int] {
    guard text.count >= mark.count else { return [] }
    return (0...text.count - mark.count).filter { index in
      text[index] == mark[0] && text[index...].starts(with: mark)
    }
  }
}

/// Lines as Go's PEM reader takes them.
private enum Lines {
  /// The line from `offset` on without its line break and trailing blanks, and where the next begins.
  static func line(at offset: Int, in text: [UInt8]) -> (text: String, next: Int) {
    var end = offset
    while end < text.count, text[end] != 0x0A { end += 1 }
    let next = min(end + 1, text.count)
    if end > offset, end < text.count, text[end - 1] == 0x0D { end -= 1 }
    while end > offset, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return (String(decoding: text[offset..<end], as: UTF8.self), next)
  }
}
