import Daemon
import Foundation
import Interceptors
import Orchestrator
import Rotation
import Synchronization
import Testing

@testable import omnid

@Suite("SIGHUP", .timeLimit(.minutes(1)))
final class ReloadTests {
  private let root = NSTemporaryDirectory() + "omnid-reload-" + UUID().uuidString

  init() throws { try PrivateFiles.makeDirectory(root) }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  /// What the service manager is told while the configuration is read again once.
  private func told(isOpen: Bool) async throws -> [String] {
    let manager = try NotifySocket(root + "/notify")
    let facts = ProcessFacts(environment: ["NOTIFY_SOCKET": manager.path], userID: 0)
    let options = try ServeOptions(["--state-dir", root + "/state"], facts) { _ in [] }
    let lines = Mutex(0)
    let logger = Logger(write: { _ in lines.withLock { $0 += 1 } })
    let (reloads, wishes) = AsyncStream<Void>.makeStream()
    let server = Server(
      options: options, facts: facts, logger: logger, reloads: reloads,
      reload: ConfigurationReload(told: options, logger: logger, read: { options }))
    let notifier = Notifier(
      stateDirectory: options.stateDirectory,
      clock: SystemClock { Instant(nanosecondsSince1970: WallClock.nanosecondsSince1970()) },
      logger: logger)
    let opening = OneTimeEvent()
    if isOpen { opening.happen() }
    let reloading = Task { await server.reload(nil, nil, notifier, opening) }
    wishes.yield()
    wishes.finish()
    for _ in 0..<500 where lines.withLock({ $0 }) == 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(lines.withLock { $0 } == 1)
    // A reload that has begun is carried to its end.
    reloading.cancel()
    await reloading.value
    return manager.received()
  }

  @Test("A server that serves tells the service manager of a reload, and when it is done")
  func serving() async throws {
    let told = try await told(isOpen: true)
    #expect(told.count == 2)
    #expect(told.first?.hasPrefix("RELOADING=1\n") == true && told.last == "READY=1")
  }

  @Test(
    "During the start the service manager is told nothing, because READY=1 means that calls are answered"
  )
  func starting() async throws {
    #expect(try await told(isOpen: false) == [])
  }
}

/// A datagram socket, as a service manager has it.
private final class NotifySocket {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let result = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw DaemonError("bind failed") }
  }

  deinit { close(descriptor) }

  /// The messages that have come.
  func received() -> [String] {
    var all: [String] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count < 0 { return all }
      all.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }
}
