import Foundation
import Glibc
import Testing

@testable import Daemon

@Suite("Sockets from the service manager")
struct InheritedSocketsTests {
  private let path = NSTemporaryDirectory() + "inherited-" + UUID().uuidString.prefix(8)

  /// A Unix socket as systemd makes one, lent.
  private func withSocket(
    mode: mode_t = 0o600, listens: Bool = true, _ body: (Int32) throws -> Void
  ) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer {
      close(descriptor)
      unlink(path)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    chmod(path, mode)
    if listens { try #require(listen(descriptor, 5) == 0) }
    try body(descriptor)
  }

  private func environment(_ count: String = "1", process: Int32 = getpid()) -> [String: String] {
    ["LISTEN_PID": "\(process)", "LISTEN_FDS": count]
  }

  @Test("A listening socket is known by its path, does not block and is nobody else's")
  func taken() throws {
    try withSocket { descriptor in
      let sockets = try InheritedSockets.take(environment(), first: descriptor)
      #expect(sockets == [path: descriptor])
      #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }
  }

  @Test("What is meant for another process, or is not there, is not taken")
  func notMeant() throws {
    try withSocket { descriptor in
      for facts in [environment(process: getpid() + 1), [:], environment("0")] {
        let sockets = try InheritedSockets.take(facts, first: descriptor)
        #expect(sockets == [:])
      }
    }
  }

  @Test(
    "A socket that every user may open is refused with what to write", arguments: [0o666, 0o602])
  func everybody(mode: mode_t) throws {
    try withSocket(mode: mode) { descriptor in
      let error = #expect(throws: DaemonError.self) {
        try InheritedSockets.take(environment(), first: descriptor)
      }
      #expect(error?.message.contains("SocketMode=0600") == true)
    }
  }

  @Test("A group may be let in by whoever writes the unit")
  func group() throws {
    try withSocket(mode: 0o660) { descriptor in
      let sockets = try InheritedSockets.take(environment(), first: descriptor)
      #expect(sockets.count == 1)
    }
  }

  @Test("What is no listening Unix socket is refused")
  func others() throws {
    try withSocket(listens: false) { descriptor in
      #expect(throws: DaemonError.self) {
        try InheritedSockets.take(environment(), first: descriptor)
      }
    }
    let port = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(port) }
    listen(port, 5)
    #expect(throws: DaemonError.self) { try InheritedSockets.take(environment(), first: port) }
    for count in ["x", "-1", "99999999"] {
      #expect(throws: DaemonError.self) {
        try InheritedSockets.take(environment(count), first: port)
      }
    }
  }
}
