import Foundation
import Glibc
import Testing

@testable import Daemon

@Suite("Service manager")
struct ServiceManagerTests {
  /// A datagram socket in the place of systemd's.
  private func receiver(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(result == 0)
    return descriptor
  }

  private func message(_ descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  private func withManager(_ body: (ServiceManager, Int32) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "notify-" + UUID().uuidString.prefix(8)
    let descriptor = try receiver(path)
    defer {
      close(descriptor)
      unlink(path)
    }
    try body(ServiceManager(socketName: path), descriptor)
  }

  @Test("Readiness and the end are told in one datagram each")
  func notifies() throws {
    try withManager { manager, descriptor in
      try manager.ready()
      #expect(message(descriptor) == "READY=1")
      try manager.reloading()
      let lines = message(descriptor).split(separator: "\n")
      #expect(lines.count == 2 && lines[0] == "RELOADING=1")
      let time = try #require(lines[1].wholeMatch(of: /MONOTONIC_USEC=([0-9]+)/))
      #expect(try #require(Int64(time.1)) > 0)
      try manager.stopping()
      #expect(message(descriptor) == "STOPPING=1")
    }
  }

  @Test("A service manager that reads nothing holds nobody up", .timeLimit(.minutes(1)))
  func unread() throws {
    try withManager { manager, descriptor in
      var told = 0
      #expect(throws: DaemonError.self) {
        for _ in 0..<100_000 {
          try manager.ready()
          told += 1
        }
      }
      #expect(told > 0)
    }
  }

  @Test("Without a service manager nothing happens; one that cannot be told is an error")
  func absence() throws {
    try ServiceManager(socketName: nil).ready()
    try ServiceManager(socketName: "").ready()
    #expect(throws: DaemonError.self) { try ServiceManager(socketName: "relative").ready() }
    #expect(throws: DaemonError.self) { try ServiceManager(socketName: "/nowhere/x").ready() }
    #expect(throws: DaemonError.self) {
      try ServiceManager(socketName: "/" + String(repeating: "x", count: 200)).ready()
    }
  }
}
