internal import Glibc

/// A directory with folders of files that other users read, and that are replaced whole: whoever reads one sees what it
/// was, or what it is, and nothing in between. Every call blocks.
public struct PublishedFolder: Sendable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// The largest file that is compared with what it shall be.
  private static let limit = 1 << 20

  /// Looks whether the directory can be used; one that is not there yet can.
  ///
  /// - Throws: when it is no directory, or somebody else may replace what is in it.
  public func check() throws(DaemonError) {
    guard PrivateFiles.exists(path) else { return }
    try Self.judge(path, { unsafe stat(path, &$0) })
  }

  /// Makes the file hold the bytes, with the mode 0644, and the folder and the directory, where they are missing, with the
  /// mode 0755. A file that is as it shall be is left alone.
  ///
  /// - Parameters:
  ///   - folder: a name without a slash.
  ///   - name: likewise.
  /// - Returns: whether anything was written.
  /// - Throws: when the file cannot be written; it is then what it was.
  @discardableResult
  public func write(
    _ bytes: [UInt8], as name: String, in folder: String
  ) throws(DaemonError) -> Bool {
    try Self.checkName(folder)
    try Self.checkName(name)
    let root = try openRoot()
    defer { close(root) }
    let made = unsafe mkdirat(root, folder, 0o755) == 0
    let directory = try openFolder(folder, in: root)
    defer { close(directory) }
    if made, fsync(root) != 0 { throw failure(folder) }
    try Self.publish(directory, named: "\(path)/\(folder)")
    if holds(bytes, name, in: directory) { return false }
    let temporary = ".\(name).partial"
    _ = unsafe unlinkat(directory, temporary, 0)
    let file = unsafe openat(
      directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw failure("\(folder)/\(name)") }
    let isWritten = PrivateFiles.writeAll(bytes, file) && fchmod(file, 0o644) == 0
    let isKept = isWritten && fsync(file) == 0
    let number = errno
    close(file)
    guard isKept, unsafe renameat(directory, temporary, directory, name) == 0 else {
      let reason = isKept ? errno : number
      _ = unsafe unlinkat(directory, temporary, 0)
      throw DaemonError(errno: reason, "\(path)/\(folder)/\(name) cannot be written")
    }
    guard fsync(directory) == 0 else { throw failure("\(folder)/\(name)") }
    return true
  }

  /// What a file of a folder holds; nil when it is not there, is no regular file, or is too long.
  public func read(_ name: String, in folder: String) -> [UInt8]? {
    guard (try? Self.checkName(folder)) != nil, (try? Self.checkName(name)) != nil,
      let root = try? openRoot(making: false)
    else { return nil }
    defer { close(root) }
    guard let directory = try? openFolder(folder, in: root) else { return nil }
    defer { close(directory) }
    return contents(name, in: directory)?.bytes
  }

  /// The names of the folders, in no order; none where there is no directory.
  ///
  /// - Throws: when it cannot be read.
  public func folders() throws(DaemonError) -> [String] {
    guard PrivateFiles.exists(path) else { return [] }
    return try PrivateFiles.names(in: path).filter { name in
      var status = stat()
      return unsafe lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
  }

  /// Removes files from a folder, and the folder when nothing else is in it.
  ///
  /// - Throws: when a file that is there cannot be removed.
  public func remove(_ names: [String], from folder: String) throws(DaemonError) {
    try Self.checkName(folder)
    let root = try openRoot(making: false)
    defer { close(root) }
    let directory = try openFolder(folder, in: root)
    defer { close(directory) }
    for name in names {
      try Self.checkName(name)
      guard unsafe unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
        throw failure("\(folder)/\(name)")
      }
    }
    // What somebody else has put beside them keeps the folder.
    _ = unsafe unlinkat(root, folder, AT_REMOVEDIR)
    guard fsync(root) == 0 else { throw failure(folder) }
  }

  // MARK: - Looking

  private func holds(_ bytes: [UInt8], _ name: String, in directory: Int32) -> Bool {
    guard let found = contents(name, in: directory) else { return false }
    return found.mode == 0o644 && found.bytes == bytes
  }

  private func contents(_ name: String, in directory: Int32) -> (bytes: [UInt8], mode: mode_t)? {
    let file = unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      Int(status.st_size) <= Self.limit
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(file, $0.baseAddress! + filled, $0.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      filled += count
    }
    return (bytes, status.st_mode & 0o7777)
  }

  private func openRoot(making: Bool = true) throws(DaemonError) -> Int32 {
    if making, !PrivateFiles.exists(path) {
      guard unsafe mkdir(path, 0o755) == 0 else { throw failure("") }
      guard unsafe chmod(path, 0o755) == 0 else { throw failure("") }
    }
    let root = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard root >= 0 else { throw failure("") }
    do throws(DaemonError) { try Self.judge(path, { unsafe fstat(root, &$0) }) } catch {
      close(root)
      throw error
    }
    return root
  }

  /// A folder that is a link leads to where its maker wants, and is not used.
  private func openFolder(_ folder: String, in root: Int32) throws(DaemonError) -> Int32 {
    let directory = unsafe openat(
      root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else { throw failure(folder) }
    return directory
  }

  /// Lets others read what is in a folder, and nobody but its owner replace it. The process' mask may have taken bits away
  /// when the folder was made, and the process may have been killed before they were given.
  private static func publish(_ directory: Int32, named path: String) throws(DaemonError) {
    var status = stat()
    guard unsafe fstat(directory, &status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_uid == geteuid() else {
      return try judge(path) { unsafe fstat(directory, &$0) }
    }
    guard status.st_mode & 0o7777 == 0o755 || fchmod(directory, 0o755) == 0 else {
      throw DaemonError(errno: errno, path)
    }
  }

  private static func judge(
    _ path: String, _ look: (inout stat) -> Int32
  ) throws(DaemonError) {
    var status = stat()
    guard look(&status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw DaemonError("\(path) exists and is not a directory")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw DaemonError(
        "the directory \(path) belongs to the user with id \(status.st_uid), who may replace what is in it: "
          + "chown \(geteuid()) \(path), or name another")
    }
    let mode = status.st_mode & 0o7777
    guard mode & 0o022 == 0 else {
      throw DaemonError(
        "the directory \(path) has the mode 0\(String(mode, radix: 8)), so that others may replace what is in it: "
          + "chmod go-w \(path)")
    }
  }

  private func failure(_ what: String) -> DaemonError {
    DaemonError(errno: errno, what.isEmpty ? path : "\(path)/\(what)")
  }

  private static func checkName(_ name: String) throws(DaemonError) {
    guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(UInt8(ascii: "/")),
      !name.utf8.contains(0)
    else { throw DaemonError("'\(name)' is no name of a file") }
  }
}
