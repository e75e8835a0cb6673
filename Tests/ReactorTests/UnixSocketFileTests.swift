import Glibc
import Reactor
import Testing

@Suite struct UnixSocketFileTests {
  /// Lends a path in a directory of its own, and removes both.
  func withTemporaryPath(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/omnid-reactor-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    let directory = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
      unlink(directory + "/s.sock")
      unlink(directory + "/s.sock.txt")
      rmdir(directory)
    }
    try body(directory + "/s.sock")
  }

  func mode(_ path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test("The socket has its mode")
  func socketMode() throws {
    try withTemporaryPath { path in
      _ = try UnixSocketFile.listen(path, mode: 0o600)
      #expect(mode(path) == 0o600)
    }
  }

  @Test("A socket that nobody serves any more is replaced")
  func stale() throws {
    try withTemporaryPath { path in
      do { _ = try UnixSocketFile.listen(path, mode: 0o600) }
      let again = try UnixSocketFile.listen(path, mode: 0o600)
      #expect(again.number >= 0)
    }
  }

  @Test("A socket that is served is left alone, and so is a file that is no socket")
  func served() throws {
    try withTemporaryPath { path in
      let first = try UnixSocketFile.listen(path, mode: 0o600)
      #expect(throws: SystemError.self) { _ = try UnixSocketFile.listen(path, mode: 0o600).number }
      #expect(first.number >= 0)
      let file = path + ".txt"
      let descriptor = open(file, O_CREAT | O_WRONLY, 0o600)
      close(descriptor)
      #expect(throws: SystemError.self) { _ = try UnixSocketFile.listen(file, mode: 0o600).number }
      #expect(mode(file) == 0o600)
    }
  }

  @Test("Nothing but the socket is left in its directory")
  func tidy() throws {
    try withTemporaryPath { path in
      let socket = try UnixSocketFile.listen(path, mode: 0o600)
      #expect(socket.number >= 0)
      // The directory can only be removed when it is empty.
      UnixSocketFile.remove(path)
      let directory = String(path.dropLast("/s.sock".count))
      #expect(rmdir(directory) == 0)
      mkdir(directory, 0o700)
    }
  }

  @Test("A path too long for a socket address is a clear error")
  func longPath() {
    let error = #expect(throws: SystemError.self) {
      _ = try UnixSocketFile.listen("/tmp/" + String(repeating: "a", count: 200), mode: 0o600)
        .number
    }
    #expect(error?.errno == ENAMETOOLONG)
  }
}
