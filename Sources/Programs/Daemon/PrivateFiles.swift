internal import Glibc
internal import Platform

/// Directories and files that belong to the service.
public enum PrivateFiles {
  /// Makes the directory and those above it that are missing, each readable by its owner alone.
  /// What is there is left as it is.
  ///
  /// - Throws: when it cannot be made, or something else stands there.
  public static func makeDirectory(_ path: String) throws(DaemonError) {
    var status = stat()
    if unsafe stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw DaemonError("\(path) exists and is not a directory")
      }
      return
    }
    if let parent = parent(of: path) { try makeDirectory(parent) }
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw DaemonError(errno: errno, "directory \(path) cannot be made")
    }
  }

  /// Lets a group into a directory of this process, though not look what is in it.
  ///
  /// - Throws: when the group cannot be given to the directory.
  public static func admit(group: UInt32, to path: String) throws(DaemonError) {
    guard unsafe chown(path, uid_t.max, group) == 0, unsafe chmod(path, 0o710) == 0 else {
      throw DaemonError(
        errno: errno, "the directory \(path) cannot be opened to the group \(group)")
    }
  }

  /// What changes when a file is written anew or replaced; nil for one that is not there.
  public static func stamp(_ path: String) -> [Int64]? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return [
      Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_size),
      Int64(bitPattern: UInt64(status.st_ino)),
    ]
  }

  /// The user whose a file or a directory is; nil where there is none.
  public static func owner(of path: String) -> UInt32? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_uid : nil
  }

  /// Looks whose a directory is: what it holds can be replaced by whoever may write to it.
  ///
  /// - Parameter user: whose it has to be; nil: this process'.
  /// - Throws: when it belongs to another user, or group or others have rights to it.
  public static func checkDirectory(
    _ path: String, of user: UInt32? = nil
  ) throws(DaemonError) {
    let user = user ?? geteuid()
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_uid == user else {
      throw DaemonError(
        "the directory \(path) belongs to the user with id \(status.st_uid): "
          + "chown \(user) \(path), if it is yours")
    }
    let mode = status.st_mode & 0o777
    guard mode & 0o077 == 0 else {
      throw DaemonError(
        "the directory \(path) has the mode 0\(String(mode, radix: 8)); make it 0700, for its owner alone: "
          + "chmod 700 \(path)")
    }
  }

  /// Looks whether somebody else may replace the files in a directory that is not omnid's alone, such as the one of
  /// a store that is kept apart from the state.
  ///
  /// - Throws: when it belongs to another user than this one or root, or group or others may write to it, also where
  ///   the sticky bit keeps them from removing files: they could make the next one first.
  public static func checkSharedDirectory(
    _ path: String, of user: UInt32? = nil
  ) throws(DaemonError) {
    let user = user ?? geteuid()
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_uid == user || status.st_uid == 0 else {
      throw DaemonError(
        "the directory \(path) of the store belongs to the user with id \(status.st_uid), who may replace the "
          + "store: chown \(user) \(path), or keep the store elsewhere")
    }
    let mode = status.st_mode & 0o7777
    guard mode & 0o022 == 0 else {
      throw DaemonError(
        "the directory \(path) of the store has the mode 0\(String(mode, radix: 8)), so that others may replace "
          + "the store: chmod go-w \(path), or keep the store in a directory of its own")
    }
  }

  /// Looks whether a program can be run, and nobody else may replace it.
  ///
  /// - Throws: when it cannot, with what to do.
  public static func checkProgram(_ path: String) throws(DaemonError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw DaemonError(errno: errno, path) }
    guard status.st_mode & S_IFMT != S_IFLNK else {
      throw DaemonError(
        "\(path) is a symbolic link, and who may change what it leads to is not known: copy the program there"
      )
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DaemonError("\(path) is no file: move it away")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw DaemonError(
        "\(path) belongs to the user with id \(status.st_uid), who may replace it: chown \(geteuid()) \(path)"
      )
    }
    guard status.st_mode & 0o022 == 0 else {
      throw DaemonError("others may write to \(path): chmod go-w \(path)")
    }
    // Root may run what has any of the three bits, so the bits are asked for.
    guard status.st_mode & 0o111 != 0, unsafe access(path, X_OK) == 0 else {
      throw DaemonError("\(path) cannot be run: chmod +x \(path), or move it away")
    }
  }

  /// Looks whether nobody else may put another directory in the place of this one, by any directory above it.
  ///
  /// - Parameter path: an absolute path without a symbolic link in it: whoever owns a directory above what a link leads
  ///   to could put another one there.
  /// - Throws: when somebody may, with what to do.
  public static func checkPlace(of path: String) throws(DaemonError) {
    guard let resolved = unsafe realpath(path, nil) else { throw DaemonError(errno: errno, path) }
    defer { unsafe free(resolved) }
    let real = unsafe String(cString: resolved)
    guard real == path || real + "/" == path else {
      throw DaemonError("\(path) leads through a symbolic link: name \(real) instead")
    }
    var next = parent(of: path)
    while let directory = next {
      var status = stat()
      guard unsafe stat(directory, &status) == 0 else { throw DaemonError(errno: errno, directory) }
      guard status.st_uid == geteuid() || status.st_uid == 0 else {
        throw DaemonError(
          "\(directory) belongs to the user with id \(status.st_uid), who may replace \(path): move it elsewhere"
        )
      }
      // In a sticky directory, such as /tmp, nobody renames what is another user's.
      guard status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0 else {
        throw DaemonError("others may replace \(path): chmod go-w \(directory)")
      }
      next = parent(of: directory)
    }
  }

  /// The directory that a path lies in; nil for one without any, and for the root.
  public static func parent(of path: String) -> String? {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/"), trimmed != "/" else { return nil }
    let parent = trimmed[..<slash]
    return parent.isEmpty ? "/" : String(parent)
  }

  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Makes a small file with the mode 0600 that says something; what is there is left as it is.
  ///
  /// - Throws: when it cannot be made, or does not reach the disk.
  public static func make(_ path: String, saying text: String) throws(DaemonError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == EEXIST { return }
      throw DaemonError(errno: errno, "\(path) cannot be made")
    }
    defer { close(descriptor) }
    guard unsafe write(descriptor, text, text.utf8.count) == text.utf8.count, fsync(descriptor) == 0
    else {
      throw DaemonError(errno: errno, "\(path) cannot be written")
    }
  }

  /// Removes a file, if it is there.
  public static func remove(_ path: String) { unsafe unlink(path) }

  /// Reads a small file that holds a secret.
  ///
  /// - Parameters:
  ///   - isCredential: the service manager hands it over (systemd.exec(5), LoadCredential=). Then it may be root's and
  ///     readable by a group, because access lists show as group bits.
  ///   - isOwn: the file has to belong to this process' user.
  /// - Throws: as `read`, and when group or others have rights to the file that they must not have.
  public static func readSecret(
    _ path: String, isCredential: Bool = false, isOwn: Bool = false
  ) throws(DaemonError) -> [UInt8] {
    let (descriptor, status) = try opened(path)
    defer { close(descriptor) }
    guard !isOwn || status.st_uid == geteuid() else {
      throw DaemonError("\(path) belongs to the user with id \(status.st_uid)")
    }
    let isHandedOver = isCredential && (status.st_uid == 0 || status.st_uid == geteuid())
    try checkSecret(status, path, isHandedOver ? 0o037 : 0o077)
    return try read(descriptor, path, limit: secretLimit)
  }

  /// Looks whether a file that holds a secret is its owner's alone.
  ///
  /// - Throws: when group or others have rights to it, or it is not there.
  public static func checkSecret(_ path: String) throws(DaemonError) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw DaemonError(errno: errno, path) }
    try checkSecret(status, path, 0o077)
  }

  private static func checkSecret(
    _ status: stat, _ path: String, _ forbidden: mode_t
  ) throws(DaemonError) {
    let mode = status.st_mode & 0o777
    guard mode & forbidden == 0 else {
      throw DaemonError(
        "\(path) has the mode 0\(String(mode, radix: 8)), so that others can use the key in it; make it 0600, "
          + "for its owner alone: chmod 600 \(path)")
    }
  }

  /// Reads a small file that says whom something is handed to, and holds no secret.
  ///
  /// - Throws: as `read`, and when others than this process' user and root may write to the file.
  public static func readTrusted(_ path: String) throws(DaemonError) -> [UInt8] {
    let (descriptor, status) = try opened(path)
    defer { close(descriptor) }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw DaemonError(
        "\(path) belongs to the user with id \(status.st_uid), who may change it: chown \(geteuid()) \(path)"
      )
    }
    guard status.st_mode & 0o022 == 0 else {
      throw DaemonError("others may write to \(path): chmod go-w \(path)")
    }
    return try read(descriptor, path, limit: secretLimit)
  }

  /// - Returns: the descriptor, the caller's to close, and what the system says of the file.
  private static func opened(_ path: String) throws(DaemonError) -> (Int32, stat) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DaemonError(errno: errno, path) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      defer { close(descriptor) }
      throw DaemonError(errno: errno, path)
    }
    return (descriptor, status)
  }

  private static let secretLimit = 1 << 20

  /// Reads a small file whole.
  ///
  /// - Throws: when it cannot be read, or is longer than `limit` bytes.
  public static func read(_ path: String, limit: Int = 1 << 20) throws(DaemonError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DaemonError(errno: errno, path) }
    defer { close(descriptor) }
    return try read(descriptor, path, limit: limit)
  }

  /// Reads what somebody hands over on standard input.
  ///
  /// - Throws: when it cannot be read, or is longer than `limit` bytes.
  public static func readInput(limit: Int) throws(DaemonError) -> [UInt8] {
    try read(STDIN_FILENO, "standard input", limit: limit)
  }

  private static func read(
    _ descriptor: Int32, _ path: String, limit: Int
  ) throws(DaemonError) -> [UInt8] {
    do throws(Descriptor.ReadFailure) {
      return try Descriptor.read(descriptor, limit: limit)
    } catch {
      switch error {
      case .errorNumber(let number): throw DaemonError(errno: number, path)
      case .tooLong: throw DaemonError("\(path): longer than \(limit) bytes")
      }
    }
  }
}
