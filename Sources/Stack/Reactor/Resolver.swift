internal import Glibc

/// Looks host names up without blocking an event loop.
public enum Resolver {
  /// Gives the addresses of a host in the order to try them (getaddrinfo's, RFC 6724). An address in
  /// text form is answered at once; a name is looked up on one of a few threads, because getaddrinfo may
  /// block for half a minute and whoever gives many names must not have as many threads for it.
  public static func resolve(
    _ host: String, port: UInt16,
    _ completion: @escaping @Sendable (Result<[Socket.Address], SystemError>) -> Void
  ) {
    if isAddress(host) { return completion(.success([.ip(host: host, port: port)])) }
    lookups.run {
      completion(lookUp(host, port))
    } refused: {
      completion(.failure($0))
    }
  }

  private static let lookups = BlockingPool(threads: 8, waiting: 256)

  private static func isAddress(_ host: String) -> Bool {
    var v4 = in_addr()
    return unsafe inet_pton(AF_INET, host, &v4) == 1 || Socket.isIPv6(host)
  }

  private static func lookUp(
    _ host: String, _ port: UInt16
  ) -> Result<
    [Socket.Address], SystemError
  > {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    if code != 0 {
      let text = unsafe String(cString: gai_strerror(code))
      return .failure(SystemError("looking up \(host): \(text)", errno: ENOENT))
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [Socket.Address] = []
    var at = unsafe list
    while let entry = unsafe at {
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let named = unsafe getnameinfo(
        entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
        NI_NUMERICHOST)
      if named == 0 {
        let name = String(
          decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        addresses.append(.ip(host: name, port: port))
      }
      unsafe at = entry.pointee.ai_next
    }
    return .success(addresses)
  }
}

extension Socket {
  /// Whether a text is an IPv6 address, without brackets or zone.
  public static func isIPv6(_ text: String) -> Bool {
    var address = in6_addr()
    // To C a text ends at its first zero.
    if text.utf8.contains(0) { return false }
    return unsafe inet_pton(AF_INET6, text, &address) == 1
  }

  /// How long sent bytes may stay unacknowledged (tcp(7), TCP_USER_TIMEOUT).
  public static func setUserTimeout(_ descriptor: Int32, _ timeout: Duration) {
    let (seconds, attoseconds) = timeout.components
    var milliseconds = UInt32(
      clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue
        + attoseconds / 1_000_000_000_000_000)
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, 4)
  }
}
