internal import COpenSSL
internal import Glibc

/// An IPv4 or IPv6 address as certificates hold it: 4 or 16 bytes.
struct IPAddress: Sendable, Hashable {
  var bytes: [UInt8]

  /// From 4 or 16 bytes; nil for any other count.
  init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// From text, such as `10.0.0.1` or `fd00::1`, without brackets or zone; nil when it is not one.
  init?(_ text: String) {
    var bytes = [UInt8](repeating: 0, count: 16)
    if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
      self.bytes = Array(bytes.prefix(4))
    } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
      self.bytes = bytes
    } else {
      return nil
    }
  }

  /// The usual text form.
  var text: String {
    var buffer = [CChar](repeating: 0, count: 64)
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    _ = unsafe inet_ntop(family, bytes, &buffer, socklen_t(buffer.count))
    let end = buffer.firstIndex(of: 0) ?? 0
    return String(decoding: buffer[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
