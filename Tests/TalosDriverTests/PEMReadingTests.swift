import Crypto
import Testing

@testable import TalosDriver

@Suite("Reading PEM texts as Talos reads them")
struct PEMReadingTests {
  private let first: Certificate
  private let second: Certificate

  init() throws {
    first = try Authority.generate(.talos, now: 1_700_000_000).certificate
    second = try Authority.generate(.kubernetes, now: 1_700_000_000).certificate
  }

  private func read(_ texts: String...) -> (certificates: [Certificate], unreadable: Int) {
    PEMReading.certificates(joining: texts)
  }

  @Test("Texts that end in a line break are read whole")
  func whole() {
    let result = read(first.pem, second.pem)
    #expect(result.certificates == [first, second])
    #expect(result.unreadable == 0)
  }

  @Test("A text without a last line break takes the next one with it")
  func joined() {
    let open = String(first.pem.dropLast())
    #expect(read(open).certificates == [first], "the last one needs none")
    let result = read(open, second.pem)
    #expect(result.certificates.isEmpty)
    #expect(result.unreadable == 2)
    let third = read(open, second.pem, first.pem)
    #expect(third.certificates == [first])
    #expect(third.unreadable == 2)
  }

  @Test("An entry without text between two texts changes nothing")
  func empty() {
    #expect(read(first.pem, "", second.pem).certificates == [first, second])
    #expect(read().certificates.isEmpty)
    #expect(read("", "no block").unreadable == 0)
  }

  @Test("Text around blocks, carriage returns and trailing blanks do not matter")
  func surroundings() {
    let windows = first.pem.replacing("\n", with: "\r\n")
    let blanks = second.pem.replacing("-----\n", with: "-----  \t\n")
    let result = read("a note\n" + windows + "another\n" + blanks)
    #expect(result.certificates == [first, second])
    #expect(result.unreadable == 0)
  }

  @Test(
    "A BEGIN line has to begin its line, an END line to end it",
    arguments: [(" ", ""), ("x", ""), ("", "x"), ("", " #")])
  func lines(before: String, after: String) {
    let text = before + first.pem.dropLast() + after + "\n"
    let result = read(text, second.pem)
    #expect(result.certificates == [second])
    #expect(result.unreadable == 1)
  }

  @Test("A block with headers, or of another label, is not taken, and counts")
  func labels() {
    let headers = first.pem.replacing(
      "BEGIN CERTIFICATE-----\n", with: "BEGIN CERTIFICATE-----\nkey: value\n\n")
    let trusted = first.pem.replacing("CERTIFICATE", with: "TRUSTED CERTIFICATE")
    for text in [headers, trusted] {
      let result = read(text, second.pem)
      #expect(result.certificates == [second])
      #expect(result.unreadable == 1)
    }
  }

  @Test("Keys and requests are no certificates and do not count")
  func keys() throws {
    let key = try PrivateKey.generate(.ed25519).pem
    let request = first.pem.replacing("CERTIFICATE", with: "CERTIFICATE REQUEST")
    let result = read(key, request, second.pem)
    #expect(result.certificates == [second])
    #expect(result.unreadable == 0)
  }

  @Test("A broken block is skipped and counts, the next one is read")
  func broken() {
    let lines = first.pem.split(separator: "\n", omittingEmptySubsequences: false)
    let texts = [
      first.pem.replacing("END CERTIFICATE", with: "END OTHER"),
      lines.dropLast(2).joined(separator: "\n") + "\n",
      first.pem.replacing("BEGIN CERTIFICATE-----\n", with: "BEGIN CERTIFICATE-----\n!!!!\n"),
      "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ]
    for text in texts {
      let result = read(text, second.pem)
      #expect(result.certificates == [second], "\(text)")
      #expect(result.unreadable == 1, "\(text)")
    }
  }
}
