internal import Glibc

extension PrivateFiles {
  /// Makes a file with the mode 0600 that holds the bytes. The file appears whole or not at all, also when the process or
  /// the machine dies meanwhile, and is on the disk when this returns. Blocks.
  ///
  /// A file system without unnamed files (`O_TMPFILE`, open(2)), as NFS is one, has the bytes under another name first,
  /// `.NAME.partial`, which may be left when the process dies; the next attempt takes its place.
  ///
  /// - Throws: when something of that name is there, or it cannot be written.
  public static func create(_ path: String, _ bytes: [UInt8]) throws(DaemonError) {
    let directory = parent(of: path) ?? "."
    // Linux has __O_TMPFILE as this; the macro with O_DIRECTORY is not imported.
    let unnamed = Int32(0o20000000) | O_DIRECTORY
    var descriptor = unsafe open(directory, O_WRONLY | unnamed | O_CLOEXEC, 0o600)
    var partial: String?
    if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      let temporary = "\(directory)/.\(name).partial"
      _ = unsafe unlink(temporary)
      descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      partial = temporary
    }
    guard descriptor >= 0 else { throw DaemonError(errno: errno, "\(path) cannot be made") }
    defer {
      close(descriptor)
      if let partial { _ = unsafe unlink(partial) }
    }
    // The mode once more, since the process' mask may have taken bits away.
    guard fchmod(descriptor, 0o600) == 0, writeAll(bytes, descriptor), fsync(descriptor) == 0 else {
      throw DaemonError(errno: errno, "\(path) cannot be written")
    }
    // Unlike a rename, a link never replaces what is there.
    let linked = unsafe linkat(
      AT_FDCWD, partial ?? "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    guard linked == 0 else {
      if errno == EEXIST {
        throw DaemonError("\(path) is there already: choose another name, or move it away")
      }
      throw DaemonError(errno: errno, "\(path) cannot be made")
    }
    let handle = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { throw DaemonError(errno: errno, directory) }
    defer { close(handle) }
    guard fsync(handle) == 0 else { throw DaemonError(errno: errno, directory) }
  }

  /// Makes a file with the mode 0600 hold the bytes in place of what it held. Whoever reads it, also after a crash, finds
  /// what it was or what it is. Blocks until that is on the disk. One caller at a time for a path.
  ///
  /// - Throws: when it cannot be written; the file is then what it was.
  public static func replace(_ path: String, _ bytes: [UInt8]) throws(DaemonError) {
    let directory = parent(of: path) ?? "."
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let temporary = "\(directory)/.\(name).partial"
    _ = unsafe unlink(temporary)
    let descriptor = unsafe open(
      temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw DaemonError(errno: errno, "\(path) cannot be written") }
    let isWritten = writeAll(bytes, descriptor) && fsync(descriptor) == 0
    let number = errno
    close(descriptor)
    guard isWritten, unsafe rename(temporary, path) == 0 else {
      let reason = isWritten ? errno : number
      _ = unsafe unlink(temporary)
      throw DaemonError(errno: reason, "\(path) cannot be written")
    }
    let handle = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { throw DaemonError(errno: errno, directory) }
    defer { close(handle) }
    guard fsync(handle) == 0 else { throw DaemonError(errno: errno, directory) }
  }

  static func writeAll(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress! + written, min($0.count - written, 1 << 24))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }

  /// The names of what is in a directory, in no order.
  ///
  /// - Throws: when it cannot be read.
  public static func names(in directory: String) throws(DaemonError) -> [String] {
    guard let stream = unsafe opendir(directory) else { throw DaemonError(errno: errno, directory) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        guard errno == 0 else { throw DaemonError(errno: errno, directory) }
        return names
      }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }
}
