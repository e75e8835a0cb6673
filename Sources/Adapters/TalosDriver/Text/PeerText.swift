import RPCTransport

/// Makes what a peer said fit for an error or a log: short, on one line, without anything that could be key
/// material, and without characters that steer a terminal or turn the order of a line around.
enum PeerText {
  static let limit = 300

  static func clean(_ text: String) -> String {
    var out = ""
    var run = ""
    for scalar in text.unicodeScalars.prefix(4 * limit) {
      if scalar.isASCII, isOfKeys(scalar) {
        run.unicodeScalars.append(scalar)
        continue
      }
      out += shortened(run)
      run = ""
      out.unicodeScalars.append(isPrintable(scalar) ? scalar : " ")
      if out.utf8.count > limit { break }
    }
    out += shortened(run)
    if let begin = out.ranges(of: "-----BEGIN").first { out = out[..<begin.lowerBound] + "…" }
    return out.count > limit ? String(out.prefix(limit)) + "…" : out
  }

  /// A host name as RFC 1123 has it, in the letters that were given; nil for anything else.
  static func hostName(_ text: String) -> String? {
    guard (1...253).contains(text.utf8.count) else { return nil }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.unicodeScalars.allSatisfy { isLetterOrDigit($0) || $0 == "-" || $0 == "_" }
    }
    return isName ? text : nil
  }

  /// The identity of a node: random bytes in base 62 or base 64. Nil for anything else.
  static func identity(_ text: String) -> String? {
    guard (1...128).contains(text.utf8.count) else { return nil }
    return text.unicodeScalars.allSatisfy { isOfKeys($0) || $0 == "-" } ? text : nil
  }

  /// The identifier of a cluster in its configuration: Talos makes base64, people write what they like. Nil for what is not
  /// 1 to 256 visible ASCII characters; the discovery service takes no more either.
  static func clusterID(_ text: String) -> String? {
    guard (1...256).contains(text.utf8.count) else { return nil }
    return text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
  }

  /// The number of a version of a machine's secrets, as Talos counts them. Nil for anything else; empty before the first.
  static func count(_ text: String) -> String? {
    guard text.utf8.count <= 20 else { return nil }
    return text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? text : nil
  }

  /// The URL of a cluster's Kubernetes API, at most 2 KiB: `https://`, a host that can be dialled, a port, and a path of the
  /// characters that RFC 3986 section 3.3 allows. Nil for anything else: it stands in records and kubeconfigs.
  static func kubernetesURL(_ text: String) -> String? {
    let scheme = "https://"
    guard text.utf8.count <= 2 << 10, text.hasPrefix(scheme) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    guard let target = HostPort(authority), target.port != 0 else { return nil }
    // Without brackets it is not clear where an IPv6 address ends.
    guard !target.host.contains(":") || authority.hasPrefix("[") else { return nil }
    let isPath = rest[authority.endIndex...].unicodeScalars.allSatisfy {
      isLetterOrDigit($0) || "/-._~!$&'()*+,;=:@%".unicodeScalars.contains($0)
    }
    return isPath ? text : nil
  }

  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
  }

  private static func isOfKeys(_ scalar: Unicode.Scalar) -> Bool {
    isLetterOrDigit(scalar) || scalar == "+" || scalar == "/" || scalar == "=" || scalar == "_"
  }

  /// Control characters (C0, C1), format characters (bidirectional ones among them), line and paragraph
  /// separators and what is no character at all are not.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      false
    default: true
    }
  }

  /// A run of letters and digits this long may be base64 of anything.
  private static func shortened(_ run: String) -> String { run.utf8.count > 64 ? "…" : run }
}
