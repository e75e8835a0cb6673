import Encodings

/// A certificate with its key, as PEM text. A worker's has no key.
struct PEMPair: Sendable, Equatable {
  var certificate: String
  var key: String
}

/// Reads PEM text the way Go's `encoding/pem` does, because that is what a machine's list of
/// accepted CAs goes through.
enum PEMText {
  struct Block: Equatable {
    var label: String
    var text: String
  }

  /// The blocks in the text. A block counts only if its BEGIN and END each have a line of their own:
  /// where a certificate without a final newline was joined to the next one, neither is seen.
  static func blocks(_ text: String) -> [Block] {
    var found: [Block] = []
    var open: (label: String, lines: [Substring])?
    // By bytes: to a string, CR and LF are one character, which is no line feed.
    for bytes in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
      let line = Substring(bytes.last == 0x0D ? bytes.dropLast() : bytes)
      if let label = marker(line, "-----BEGIN ") {
        open = (label, [line])
      } else if let label = marker(line, "-----END "), var block = open {
        open = nil
        guard label == block.label else { continue }
        block.lines.append(line)
        guard decodes(block.lines) else { continue }
        found.append(Block(label: label, text: block.lines.joined(separator: "\n") + "\n"))
      } else {
        open?.lines.append(line)
      }
    }
    return found
  }

  /// The certificates in a list of accepted CAs, joined as Talos joins them: with nothing between.
  static func certificates(joining list: [String]) -> [String] {
    blocks(list.joined()).filter { $0.label == "CERTIFICATE" }.map(\.text)
  }

  private static func marker(_ line: Substring, _ prefix: String) -> String? {
    guard line.utf8.starts(with: prefix.utf8) else { return nil }
    let trimmed = line.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
    let text = String(trimmed)
    guard text.hasPrefix(prefix), text.hasSuffix("-----"), text.count > prefix.count + 5 else {
      return nil
    }
    let label = String(text.dropFirst(prefix.count).dropLast(5))
    return label.contains("-----") ? nil : label
  }

  private static func decodes(_ lines: [Substring]) -> Bool {
    let body = lines.dropFirst().dropLast().joined()
    return !body.isEmpty && Base64.decode(body, Base64.Rules(trailingBits: .any)) != nil
  }
}

extension Base64 {
  /// The text behind base64 as machine configs have it; nil for what is no base64 or no UTF-8.
  static func text(behind text: String) -> String? {
    decode(text, .folded).flatMap { String(validating: $0, as: UTF8.self) }
  }
}
