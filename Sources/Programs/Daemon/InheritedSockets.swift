internal import Glibc

/// Listening sockets that the service manager has opened and hands over, as sd_listen_fds(3) describes it.
public enum InheritedSockets {
  /// The first descriptor that is handed over.
  public static let first: Int32 = 3

  /// Takes the sockets that are meant for this process. From then on they do not block, and are no other
  /// program's that this process starts.
  ///
  /// - Parameters:
  ///   - environment: `LISTEN_FDS` says how many, `LISTEN_PID` for which process.
  ///   - first: the first descriptor.
  /// - Returns: the descriptors by their sockets' paths; the caller owns them. Empty when nothing is handed over.
  /// - Throws: when something else than a listening Unix socket with a path is handed over, or one that every
  ///   user may open: systemd's `SocketMode=` is 0666 where a unit says nothing.
  public static func take(
    _ environment: [String: String], first: Int32 = Self.first
  ) throws(DaemonError) -> [String: Int32] {
    guard let process = environment["LISTEN_PID"], process == "\(getpid())",
      let text = environment["LISTEN_FDS"]
    else { return [:] }
    // A unit may have some sockets; the limit keeps a wrong number from being counted through.
    guard let count = Int32(text), (0...1024).contains(count) else {
      throw DaemonError("LISTEN_FDS is '\(text)', which is no number of sockets")
    }
    var sockets: [String: Int32] = [:]
    for number in first..<first + count {
      guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else {
        throw DaemonError(errno: errno, "descriptor \(number) of LISTEN_FDS")
      }
      guard let path = path(of: number), isListening(number) else {
        throw DaemonError(
          "the service manager hands over descriptor \(number), which is no listening Unix socket with a path: "
            + "write ListenStream= with an absolute path, and let omnid open its tls: ports itself")
      }
      try checkMode(path)
      let flags = fcntl(number, F_GETFL)
      guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 else {
        throw DaemonError(errno: errno, path)
      }
      guard sockets.updateValue(number, forKey: path) == nil else {
        throw DaemonError("the service manager hands over \(path) more than once")
      }
    }
    return sockets
  }

  private static func checkMode(_ path: String) throws(DaemonError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_mode & 0o007 == 0 else {
      throw DaemonError(
        "every user may open \(path), which the service manager hands over: "
          + "write SocketMode=0600 in its unit")
    }
  }

  private static func isListening(_ number: Int32) -> Bool {
    option(SO_ACCEPTCONN, of: number) == 1
      && option(SO_TYPE, of: number) == Int32(SOCK_STREAM.rawValue)
  }

  private static func option(_ name: Int32, of number: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(number, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
  }

  /// Nil for what is no Unix socket, and for one without a path.
  private static func path(of number: Int32) -> String? {
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(number, $0, &length)
      }
    }
    guard result == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
    let bytes = unsafe withUnsafeBytes(of: &address.sun_path) { unsafe Array($0) }
    let path = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    return path.hasPrefix("/") ? path : nil
  }
}
