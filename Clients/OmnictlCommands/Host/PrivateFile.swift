internal import Glibc
internal import Platform

/// Files that hold keys: of mode 0600 at most, written in one step, and never through a link.
enum PrivateFile {
  struct Failure: Error, Equatable {
    var reason: String
    /// Whether what stands at the path is the obstacle, and was left as it is.
    var isRefusal = false
  }

  /// A regular file as it stood at a path at some moment.
  struct Standing {
    fileprivate var entry: stat

    /// Its mode in octal, when group or others have rights to it.
    var modeForOthers: String? {
      let mode = entry.st_mode & 0o777
      return mode & 0o077 == 0 ? nil : "0" + String(mode, radix: 8)
    }

    /// Whose it is, when that is neither this process' user nor the one who has become root by sudo.
    fileprivate var stranger: uid_t? {
      let own = geteuid()
      if entry.st_uid == own { return nil }
      let asked = own == 0 ? getenv("SUDO_UID").flatMap { uid_t(String(cString: $0)) } : nil
      return entry.st_uid == asked ? nil : entry.st_uid
    }

    /// Whether it is the same file, unchanged.
    fileprivate func isSame(as other: stat) -> Bool {
      entry.st_dev == other.st_dev && entry.st_ino == other.st_ino
        && entry.st_size == other.st_size && entry.st_mtim.tv_sec == other.st_mtim.tv_sec
        && entry.st_mtim.tv_nsec == other.st_mtim.tv_nsec
    }
  }

  /// What stands at the path; nil when nothing does.
  ///
  /// - Throws: a refusal when it is no regular file: a link may lead anywhere, a device keeps nothing.
  static func standing(_ path: String) throws(Failure) -> Standing? {
    var entry = stat()
    guard lstat(path, &entry) == 0 else {
      if errno == ENOENT { return nil }
      throw Failure(reason: Descriptor.message(errno))
    }
    switch entry.st_mode & S_IFMT {
    case S_IFREG: return Standing(entry: entry)
    case S_IFLNK:
      throw Failure(
        reason: "it is a symbolic link; name the file that it leads to", isRefusal: true)
    default: throw Failure(reason: "it exists and is no regular file", isRefusal: true)
    }
  }

  /// The text of the file that stands there.
  static func text(_ path: String, _ standing: Standing, limit: Int) throws(Failure) -> String {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { throw Failure(reason: Descriptor.message(errno)) }
    defer { close(file) }
    var entry = stat()
    guard fstat(file, &entry) == 0, standing.isSame(as: entry) else { throw changed }
    do throws(Descriptor.ReadFailure) {
      let bytes = try Descriptor.read(file, limit: limit)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Descriptor.ReadFailure.errorNumber(EILSEQ)
      }
      return text
    } catch {
      switch error {
      case .errorNumber(let number): throw Failure(reason: Descriptor.message(number))
      case .tooLong: throw Failure(reason: "it is longer than \(limit) bytes", isRefusal: true)
      }
    }
  }

  /// Writes a file in one step: it is complete or it is not there, and it is never readable for
  /// others, not even for a moment.
  ///
  /// - Parameter standing: what it takes the place of, whose rights stay as narrow as they are and
  ///   whose owner keeps it; nil: nothing may be there.
  /// - Parameter isSecret: whether only the caller may read it. A file that is somebody else's does not get it, because
  ///   whoever owns a file can read it.
  /// - Throws: a refusal when something else stands there by now, or it is somebody else's; that is then left alone.
  static func write(
    _ text: String, to path: String, replacing standing: Standing?, isSecret: Bool = true
  ) throws(Failure) {
    if isSecret, let standing { try requireOwn(standing) }
    let (file, temporary) = try create(beside: path)
    var failure = Descriptor.write(text, to: file)
    if failure == nil { failure = protect(file, as: standing) }
    if failure == nil, fsync(file) != 0 { failure = errno }
    if close(file) != 0 && failure == nil { failure = errno }
    defer { unlink(temporary) }
    if let failure { throw Failure(reason: Descriptor.message(failure)) }
    guard let standing else { return try place(temporary, at: path) }
    var entry = stat()
    guard lstat(path, &entry) == 0, standing.isSame(as: entry) else { throw changed }
    if rename(temporary, path) != 0 { throw Failure(reason: Descriptor.message(errno)) }
  }

  /// Finds out whether a new file can be made there, before what it is to hold is asked for.
  ///
  /// - Throws: when its directory is missing, or may not be written to.
  static func findDirectory(of path: String) throws(Failure) {
    let end = path.lastIndex(of: "/")
    let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    if access(directory, W_OK | X_OK) != 0 {
      throw Failure(reason: "\(directory): \(Descriptor.message(errno))")
    }
  }

  /// - Throws: a refusal for a file of another user.
  static func requireOwn(_ standing: Standing) throws(Failure) {
    guard let stranger = standing.stranger else { return }
    throw Failure(
      reason:
        "it belongs to another user (uid \(stranger)), who could read it then; remove it, or name another file",
      isRefusal: true)
  }

  private static let changed = Failure(
    reason: "somebody else has changed it meanwhile; try again", isRefusal: true)

  /// Owner and mode, whatever the umask made of it. The error's number, when it cannot be done.
  private static func protect(_ file: Int32, as standing: Standing?) -> Int32? {
    var mode: mode_t = 0o600
    if let entry = standing?.entry {
      mode &= entry.st_mode
      if entry.st_uid != geteuid(), fchown(file, entry.st_uid, entry.st_gid) != 0 { return errno }
    }
    return fchmod(file, mode) == 0 ? nil : errno
  }

  /// Gives a file its name, if nothing bears it.
  private static func place(_ temporary: String, at path: String) throws(Failure) {
    if link(temporary, path) == 0 { return }
    let failure = errno
    var entry = stat()
    if lstat(path, &entry) == 0 {
      throw Failure(reason: "it has come into being meanwhile", isRefusal: true)
    }
    // A file system without hard links.
    guard [EPERM, EOPNOTSUPP, ENOSYS].contains(failure), rename(temporary, path) == 0 else {
      throw Failure(reason: Descriptor.message(failure))
    }
  }

  /// A new, empty file in the same folder, so that it can take the other's place.
  private static func create(beside path: String) throws(Failure) -> (Int32, String) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    for _ in 0..<16 {
      let temporary = "\(path).\(String(UInt32.random(in: 0...UInt32.max), radix: 36)).tmp"
      let file = open(temporary, flags, 0o600)
      if file >= 0 { return (file, temporary) }
      if errno != EEXIST { break }
    }
    throw Failure(reason: Descriptor.message(errno))
  }
}
