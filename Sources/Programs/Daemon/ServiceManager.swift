internal import Glibc

/// Tells the service manager how the service is, as sd_notify(3) describes it: one datagram to the
/// socket that `NOTIFY_SOCKET` names. One that takes nothing for a quarter of a second is not told.
public struct ServiceManager: Sendable {
  private let socketName: String?

  /// - Parameter socketName: the value of `NOTIFY_SOCKET`; nil or empty when nobody asks.
  public init(socketName: String?) {
    self.socketName = socketName == "" ? nil : socketName
  }

  /// Calls are answered.
  ///
  /// - Throws: when there is a service manager and it cannot be told.
  public func ready() throws(DaemonError) { try send("READY=1") }

  /// The configuration is being read again; `ready` says when that is done (sd_notify(3), RELOADING=1).
  ///
  /// - Throws: when there is a service manager and it cannot be told.
  public func reloading() throws(DaemonError) {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    try send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
  }

  /// The service has begun to end.
  public func stopping() throws(DaemonError) { try send("STOPPING=1") }

  private func send(_ state: String) throws(DaemonError) {
    guard let socketName else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(socketName.utf8)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard name.count < capacity, name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@")
    else { throw DaemonError("NOTIFY_SOCKET is neither a path nor an abstract name") }
    // An abstract name begins with a zero byte, and its length says where it ends.
    if name[0] == UInt8(ascii: "@") { name[0] = 0 }
    let length = socklen_t(MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + name.count)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw DaemonError(errno: errno, "socket for NOTIFY_SOCKET") }
    defer { close(descriptor) }
    // A service manager that does not read must not keep omnid from serving, or from ending.
    var limit = timeval(tv_sec: 0, tv_usec: 250_000)
    unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let message = Array(state.utf8)
    let sent = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
    guard sent == message.count else { throw DaemonError(errno: errno, "NOTIFY_SOCKET") }
  }
}
