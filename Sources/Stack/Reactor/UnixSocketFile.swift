internal import Glibc

/// The file of a listening Unix socket: made with its mode, replaced when stale, removed at the end.
public enum UnixSocketFile {
  /// Listens on the path.
  ///
  /// A file that no process answers on is left over from a crash and is replaced; one that is
  /// answered on, or is not a socket, is an error. The file's mode is set before the first
  /// connection can be made.
  ///
  /// - Parameter group: the group that the file belongs to; nil: the process' own.
  public static func listen(
    _ path: String, mode: UInt32, group: UInt32? = nil
  ) throws(SystemError) -> FileDescriptor {
    // Clients must be able to name it: 107 bytes (unix(7)).
    if path.utf8.count > 107 { throw SystemError("socket path \(path)", errno: ENAMETOOLONG) }
    var status = stat()
    if unsafe lstat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFSOCK else {
        throw SystemError("\(path) exists and is not a socket", errno: EEXIST)
      }
      if isAnswered(path) {
        throw SystemError("\(path) is served by another process", errno: EADDRINUSE)
      }
    }
    // Bound in a directory that nobody else may enter, given its mode there, and only then moved
    // to its place. A umask would do too, but it is the whole process's.
    let folder = path.lastIndex(of: "/").map { path[..<$0] + "/" } ?? ""
    var template = Array("\(folder).sock-XXXXXX".utf8CString)
    if unsafe mkdtemp(&template) == nil { throw .last("cannot make a directory beside \(path)") }
    let directory = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let hidden = directory + "/s"
    defer {
      unsafe unlink(hidden)
      unsafe rmdir(directory)
    }
    let descriptor = try Socket.listen(.unix(path: hidden))
    if let group, unsafe chown(hidden, uid_t.max, group) != 0 {
      throw .last("the group \(group) cannot be given to \(path)")
    }
    if unsafe chmod(hidden, mode_t(mode)) != 0 { throw .last("chmod \(path)") }
    if unsafe rename(hidden, path) != 0 { throw .last("cannot put a socket at \(path)") }
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
