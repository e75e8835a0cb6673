/// A URL as Go reads one, which is more lenient than most and has words of its own for the rest.
struct GoURL: Equatable {
  struct Refusal: Error, Equatable { var reason: String }

  private(set) var scheme = ""
  /// The host with its port.
  private(set) var host = ""
  private(set) var path = ""

  /// - Throws: what Go says after `parse "…": `.
  init(_ text: String) throws(Refusal) {
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      throw Refusal(reason: "net/url: invalid control character in URL")
    }
    var rest = text.prefix { $0 != "#" }
    rest = rest.prefix { $0 != "?" }
    if rest.first == ":" { throw Refusal(reason: "missing protocol scheme") }
    let word = rest.prefix {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "-" || $0 == ".")
    }
    if word.first?.isLetter == true, rest.dropFirst(word.count).first == ":" {
      scheme = word.lowercased()
      rest = rest.dropFirst(word.count + 1)
      // A scheme and no slash: what follows is opaque.
      if rest.first != "/" { return }
    } else if rest.first != "/", rest.prefix(while: { $0 != "/" }).contains(":") {
      throw Refusal(reason: "first path segment in URL cannot contain colon")
    }
    if rest.hasPrefix("//"), !rest.hasPrefix("///") {
      let authority = rest.dropFirst(2).prefix { $0 != "/" }
      rest = rest.dropFirst(2 + authority.count)
      host = String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
      try Self.check(host)
    }
    path = String(rest)
  }

  private static func check(_ host: String) throws(Refusal) {
    if let wrong = host.first(where: { " <>\"\\^`{|}".contains($0) }) {
      throw Refusal(reason: "invalid character \"\(wrong)\" in host name")
    }
    var rest = host[...]
    if rest.first == "[" {
      guard let end = rest.lastIndex(of: "]") else {
        throw Refusal(reason: "missing ']' in host")
      }
      rest = rest[rest.index(after: end)...]
    } else {
      rest = rest[(rest.lastIndex(of: ":") ?? rest.endIndex)...]
    }
    if rest.isEmpty || (rest.first == ":" && rest.dropFirst().allSatisfy(\.isNumber)) { return }
    throw Refusal(reason: "invalid port \"\(rest)\" after host")
  }

  /// The host without its port.
  var hostname: String {
    if host.first == "[" { return String(host.dropFirst().prefix { $0 != "]" }) }
    return String(host[..<(host.lastIndex(of: ":") ?? host.endIndex)])
  }

  /// The port's digits; nil where none stand there.
  var port: String? {
    let after = host.first == "[" ? host.drop { $0 != "]" }.dropFirst() : host[...]
    guard let colon = after.lastIndex(of: ":") else { return nil }
    let digits = after[after.index(after: colon)...]
    return digits.isEmpty ? nil : String(digits)
  }

  /// What Talos finds wrong with the URL as an endpoint; nil when it takes it.
  var endpointComplaint: String? {
    if hostname.isEmpty { return "hostname must not be blank" }
    guard let port else { return nil }
    guard let number = Int(port), (1...65535).contains(number) else {
      return "port number must be between 1 and 65535"
    }
    return nil
  }
}
