internal import CEpoll
internal import Glibc

/// The socket calls a transport needs. All sockets are non-blocking and closed on exec.
public enum Socket {
  public enum Address: Sendable, Equatable {
    case unix(path: String)
    /// A Unix socket with a name and no file.
    case abstract(name: String)
    /// An IPv4 or IPv6 address in text form.
    case ip(host: String, port: UInt16)
  }

  private static let flags =
    Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    | Int32(SOCK_NONBLOCK.rawValue)

  /// Calls the body with the address as the kernel wants it.
  private static func withSockaddr<R>(
    _ address: Address, _ body: (UnsafePointer<sockaddr>, socklen_t, Int32) throws(SystemError) -> R
  ) throws(SystemError) -> R {
    var storage = sockaddr_storage()
    var length = socklen_t(0)
    let family: Int32
    switch address {
    case .unix(let name), .abstract(let name):
      family = AF_UNIX
      var un = sockaddr_un()
      var bytes = Array(name.utf8)
      // 107 bytes, and a zero behind a path or before an abstract name (unix(7)).
      if bytes.isEmpty || bytes.count >= MemoryLayout.size(ofValue: un.sun_path)
        || bytes.contains(0)
      {
        throw SystemError("the socket's name \(name)", errno: ENAMETOOLONG)
      }
      length = socklen_t(MemoryLayout<sockaddr_un>.size)
      if case .abstract = address {
        bytes.insert(0, at: 0)
        // The length says where an abstract name ends.
        length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count)
      }
      un.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &un.sun_path) { unsafe $0.copyBytes(from: bytes) }
      unsafe withUnsafeMutableBytes(of: &storage) { storage in
        unsafe withUnsafeBytes(of: un) { unsafe storage.copyMemory(from: $0) }
      }
    case .ip(let host, let port):
      var v4 = sockaddr_in()
      var v6 = sockaddr_in6()
      if unsafe inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
        family = AF_INET
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &storage) { storage in
          unsafe withUnsafeBytes(of: v4) { unsafe storage.copyMemory(from: $0) }
        }
        length = socklen_t(MemoryLayout<sockaddr_in>.size)
      } else if unsafe inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
        family = AF_INET6
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &storage) { storage in
          unsafe withUnsafeBytes(of: v6) { unsafe storage.copyMemory(from: $0) }
        }
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
      } else {
        throw SystemError("address \(host)", errno: EINVAL)
      }
    }
    var result: Result<R, SystemError>?
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        do throws(SystemError) { result = .success(try unsafe body(pointer, length, family)) } catch
        {
          result = .failure(error)
        }
      }
    }
    guard let result else { throw SystemError("address", errno: EINVAL) }
    return try result.get()
  }

  /// Binds and listens. For a Unix socket, see `UnixSocketFile` for what to do with its file.
  public static func listen(
    _ address: Address, backlog: Int32 = 1024
  ) throws(SystemError)
    -> FileDescriptor
  {
    let number = try unsafe withSockaddr(address) {
      (pointer, length, family) throws(SystemError) -> Int32 in
      let number = socket(family, flags, 0)
      if number < 0 { throw .last("socket") }
      if family != AF_UNIX {
        var on: Int32 = 1
        unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
      }
      if unsafe bind(number, pointer, length) != 0 || Glibc.listen(number, backlog) != 0 {
        let error = SystemError.last("cannot listen on \(address.text)")
        Glibc.close(number)
        throw error
      }
      return number
    }
    return FileDescriptor(owning: number)
  }

  /// Begins to connect; the descriptor becomes writable when that is done (see `connectError`).
  public static func connect(_ address: Address) throws(SystemError) -> FileDescriptor {
    let number = try unsafe withSockaddr(address) {
      (pointer, length, family) throws(SystemError) -> Int32 in
      let number = socket(family, flags, 0)
      if number < 0 { throw .last("socket") }
      if family != AF_UNIX { setNoDelay(number) }
      if unsafe Glibc.connect(number, pointer, length) != 0 && errno != EINPROGRESS {
        let error = SystemError.last("connect to \(address.text)")
        Glibc.close(number)
        throw error
      }
      return number
    }
    return FileDescriptor(owning: number)
  }

  /// The outcome of a connect that has finished.
  public static func connectError(_ descriptor: Int32) -> SystemError? {
    var error: Int32 = 0
    var length = socklen_t(4)
    unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    return error == 0 ? nil : SystemError("connect", errno: error)
  }

  /// The next waiting connection; nil when there is none.
  public static func accept(_ descriptor: Int32) throws(SystemError) -> Int32? {
    let number = reactor_accept(descriptor)
    if number >= 0 { return number }
    switch errno {
    case EAGAIN, EINTR, ECONNABORTED: return nil
    default: throw .last("accept")
    }
  }

  /// The user that this process runs as.
  public static var ownUserID: UInt32 { geteuid() }

  public static func setNoDelay(_ descriptor: Int32) {
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
  }

  public enum Transfer: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    case ended
    case failed(Int32)
  }

  public static func read(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> Transfer {
    let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    if count > 0 { return .bytes(count) }
    if count == 0 { return .ended }
    let error = errno
    return error == EAGAIN || error == EINTR ? .wouldBlock : .failed(error)
  }

  /// Writes without raising SIGPIPE.
  public static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer {
    let count = unsafe send(
      descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    if count >= 0 { return .bytes(count) }
    let error = errno
    return error == EAGAIN || error == EINTR ? .wouldBlock : .failed(error)
  }

  /// How many written bytes the peer has not taken yet: not acknowledged on TCP (tcp(7), SIOCOUTQ), not read on a
  /// Unix socket, where the kernel counts more than a byte for each. Nil when the kernel does not tell.
  public static func outstandingBytes(_ descriptor: Int32) -> Int? {
    var count: Int32 = 0
    let result = unsafe withUnsafeMutablePointer(to: &count) {
      unsafe ioctl(descriptor, UInt(TIOCOUTQ), $0)
    }
    return result == 0 ? Int(count) : nil
  }

  /// The process at the other end of a Unix socket (unix(7), SO_PEERCRED).
  public static func peerCredentials(
    _ descriptor: Int32
  ) -> (processID: Int32, userID: UInt32, groupID: UInt32)? {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
    let result = unsafe reactor_peer_credentials(descriptor, &process, &user, &group)
    return result == 0 ? (process, user, group) : nil
  }

  /// The supplementary groups of the process at the other end of a Unix socket (`SO_PEERGROUPS`); none when the
  /// kernel does not tell.
  public static func peerGroups(_ descriptor: Int32) -> [UInt32] {
    // A process has 65,536 at most (NGROUPS_MAX); nearly every one has a few.
    for capacity in [64, 65_536] {
      var groups = [UInt32](repeating: 0, count: capacity)
      let count = unsafe groups.withUnsafeMutableBufferPointer {
        unsafe reactor_peer_groups(descriptor, $0.baseAddress, UInt32(capacity))
      }
      if count >= 0 { return Array(groups.prefix(Int(count))) }
      if errno != ERANGE { break }
    }
    return []
  }

  public static func localAddress(_ descriptor: Int32) -> Address? {
    unsafe name(descriptor) { unsafe getsockname($0, $1, $2) }
  }

  public static func peerAddress(_ descriptor: Int32) -> Address? {
    unsafe name(descriptor) { unsafe getpeername($0, $1, $2) }
  }

  private static func name(
    _ descriptor: Int32,
    _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> Address? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe call(descriptor, $0, &length)
      }
    }
    guard result == 0 else { return nil }
    let family = Int32(storage.ss_family)
    return unsafe withUnsafePointer(to: &storage) { pointer -> Address? in
      var text = [CChar](repeating: 0, count: 64)
      switch family {
      case AF_INET:
        return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { v4 in
          unsafe inet_ntop(AF_INET, &UnsafeMutablePointer(mutating: v4).pointee.sin_addr, &text, 64)
          return unsafe .ip(
            host: String(
              decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            port: UInt16(bigEndian: v4.pointee.sin_port))
        }
      case AF_INET6:
        return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { v6 in
          unsafe inet_ntop(
            AF_INET6, &UnsafeMutablePointer(mutating: v6).pointee.sin6_addr, &text, 64)
          return unsafe .ip(
            host: String(
              decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            port: UInt16(bigEndian: v6.pointee.sin6_port))
        }
      default: return nil
      }
    }
  }
}

extension Socket.Address {
  /// `unix:PATH`, `unix-abstract:NAME`, or `host:port` with IPv6 in brackets.
  public var text: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .abstract(let name): "unix-abstract:\(name)"
    case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }
}

extension Socket {
  /// Says that nothing more will be sent.
  public static func shutdownWrites(_ descriptor: Int32) {
    _ = Glibc.shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Ends both directions at once; the descriptor itself closes with its owner.
  public static func shutdown(_ descriptor: Int32) {
    _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
  }
}
