import Glibc
import Reactor
import Testing

@Suite struct UnixSocketFileTests {
  func temporaryPath() throws -> String {
    var template = Array("/tmp/omnid-reactor-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      + "/s.sock"
  }

  func mode(_ path: String) -> UInt32 {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test("The socket has its mode")
  func socketMode() throws {
    let path = try temporaryPath()
    _ = try UnixSocketFile.listen(path, mode: 0o600)
    #expect(mode(path) == 0o600)
    UnixSocketFile.remove(path)
  }

  @Test("A socket that nobody serves any more is replaced")
  func stale() throws {
    let path = try temporaryPath()
    do { _ = try UnixSocketFile.listen(path, mode: 0o600) }
    let again = try UnixSocketFile.listen(path, mode: 0o600)
    #expect(again.number >= 0)
    UnixSocketFile.remove(path)
  }

  @Test("A socket that is served is left alone, and so is a file that is no socket")
  func served() throws {
    let path = try temporaryPath()
    let first = try UnixSocketFile.listen(path, mode: 0o600)
    #expect(throws: SystemError.self) { _ = try UnixSocketFile.listen(path, mode: 0o600).number }
    #expect(first.number >= 0)
    let file = path + ".txt"
    let descriptor = open(file, O_CREAT | O_WRONLY, 0o600)
    close(descriptor)
    #expect(throws: SystemError.self) { _ = try UnixSocketFile.listen(file, mode: 0o600).number }
    #expect(mode(file) == 0o600)
    UnixSocketFile.remove(path)
    unlink(file)
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
