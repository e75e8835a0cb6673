internal import Glibc

/// The file of a listening Unix socket: made with its mode, replaced when stale, removed at the end.
public enum UnixSocketFile {
  /// Listens on the path.
  ///
  /// A file that no process answers on is left over from a crash and is replaced; one that is
  /// answered on, or is not a socket, is an error. The file's mode is set before the first
  /// connection can be made.
  public static func listen(_ path: String, mode: UInt32) throws(SystemError) -> FileDescriptor {
    var status = stat()
    if unsafe lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFSOCK else {
        throw SystemError("\(path) exists and is not a socket", errno: EEXIST)
      }
      if isAnswered(path) {
        throw SystemError("\(path) is served by another process", errno: EADDRINUSE)
      }
      unsafe unlink(path)
    }
    // With every bit masked nobody can connect between bind and chmod.
    let old = umask(0o777)
    defer { umask(old) }
    let descriptor = try Socket.listen(.unix(path: path))
    if unsafe chmod(path, mode_t(mode)) != 0 { throw .last("chmod \(path)") }
    return descriptor
  }

  public static func remove(_ path: String) { unsafe unlink(path) }

  private static func isAnswered(_ path: String) -> Bool {
    do {
      let probe = try Socket.connect(.unix(path: path))
      return Socket.connectError(probe.number) == nil
    } catch {
      return error.errno == EAGAIN
    }
  }
}
