import Crypto

/// One field of a configuration that holds certificates: `ca.crt`, `issuingCA.cert`, or an entry of an
/// accepted list. Most hold one certificate; Talos takes several, and the first is the one it issues
/// from.
struct TrustEntry {
  /// The PEM text, as Talos has it after decoding.
  let text: String
  /// Its certificates in order.
  let certificates: [Certificate]
  /// The BEGIN lines of certificates that cannot be read.
  let unreadable: Int
  /// Where each certificate stands in the text's UTF-8.
  private let places: [Range<Int>]

  init(text: String) {
    self.text = text
    let reading = PEMReading.blocks(of: Array(text.utf8))
    var unreadable = reading.lost
    var certificates: [Certificate] = []
    var places: [Range<Int>] = []
    for block in reading.blocks where PEMReading.isCertificate(block.label) {
      guard let certificate = PEMReading.certificate(of: block) else {
        unreadable += 1
        continue
      }
      certificates.append(certificate)
      places.append(block.range)
    }
    (self.certificates, self.places, self.unreadable) = (certificates, places, unreadable)
  }

  /// Whether another text may follow without a separator. Talos joins entries so.
  var isClosed: Bool { text.isEmpty || text.utf8.last == 0x0A }

  /// The text with a line break at its end.
  var closedText: String { isClosed ? text : text + "\n" }

  /// The text without some of its certificates and with another first one, if one is given. Whatever
  /// else stands in the text stays; nil if no certificate is left.
  func text(keeping keeps: (Int) -> Bool, first: Certificate? = nil) -> String? {
    let bytes = Array(closedText.utf8)
    var out: [UInt8] = []
    var position = 0
    var isEmpty = first == nil
    for (index, place) in places.enumerated() {
      out += bytes[position..<place.lowerBound]
      // The last block may end where the text did before it was closed.
      position =
        index == places.count - 1
        ? max(place.upperBound, endOfLine(place, bytes)) : place.upperBound
      if index == 0, let first {
        out += Array(first.pem.utf8)
      } else if keeps(index) {
        out += bytes[place.lowerBound..<position]
        isEmpty = false
      }
    }
    guard !isEmpty else { return nil }
    out += bytes[position...]
    return String(decoding: out, as: UTF8.self)
  }

  private func endOfLine(_ place: Range<Int>, _ bytes: [UInt8]) -> Int {
    let end = place.upperBound
    return end < bytes.count && bytes[end - 1] != 0x0A && bytes[end] == 0x0A ? end + 1 : end
  }
}
