import Crypto
import Glibc

/// `rpc-bench-server PATH [EVENT-LOOPS] [--bare] [--tls-port N --cert FILE --key FILE]`
struct Options {
  struct TLS {
    var port: Int
    var certificate: String
    var key: String
  }

  var path: String
  var eventLoops = 1
  /// Without interceptors: what the stack alone costs.
  var isBare = false
  var tls: TLS?

  /// Nil when the words make no sense.
  init?(_ words: ArraySlice<String>) {
    var words = words
    var positional: [String] = []
    var flags: [String: String] = [:]
    while let word = words.popFirst() {
      if word == "--bare" {
        isBare = true
      } else if word.hasPrefix("--") {
        guard ["--tls-port", "--cert", "--key"].contains(word), let value = words.popFirst() else {
          return nil
        }
        flags[word] = value
      } else {
        positional.append(word)
      }
    }
    guard let path = positional.first, positional.count <= 2 else { return nil }
    self.path = path
    if positional.count == 2 {
      guard let loops = Int(positional[1]), loops > 0 else { return nil }
      eventLoops = loops
    }
    if flags.isEmpty { return }
    guard let port = flags["--tls-port"].flatMap({ Int($0) }), let certificate = flags["--cert"],
      let key = flags["--key"]
    else { return nil }
    tls = TLS(port: port, certificate: certificate, key: key)
  }
}

extension Options.TLS {
  /// TLS 1.3 with that certificate; clients need none.
  func context() throws -> TLSContext {
    let identity = try Identity(chainPEM: contents(certificate), keyPEM: contents(key))
    return try TLSContext(
      TLSConfiguration(
        role: .server, identity: identity, peerVerification: .none, alpn: ["h2"],
        minimumVersion: .tls13))
  }

  private func contents(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
