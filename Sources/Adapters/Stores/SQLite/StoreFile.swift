internal import Glibc
import Orchestrator

/// The store's file and the write-ahead log beside it, as the file system knows them.
///
/// Whoever can write to the store can harm clusters, and whoever can read it has half of what opens their CA
/// keys: so owner and mode have to be the master key's.
struct StoreFile: Sendable {
  let path: String
  /// The files that were opened; empty before `remember`.
  private var identities: [(path: String, device: dev_t, number: ino_t)] = []

  /// Looks at what is there, and makes an empty file where nothing is.
  ///
  /// - Parameter creates: whether a file may be made.
  /// - Throws: `.unavailable`, saying what to do.
  init(path: String, creates: Bool) throws(StoreError) {
    self.path = path
    for suffix in ["", "-wal", "-shm", "-journal"] { try Self.checkOwner(path + suffix) }
    // With O_CREAT alone SQLite's file would be readable to others. The files beside it take over its mode.
    let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (creates ? O_CREAT : 0)
    let descriptor = unsafe open(path, flags, 0o600)
    guard descriptor >= 0 else {
      throw StoreError(
        .unavailable,
        "the store \(path) cannot be opened: \(unsafe String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    guard creates else { return }
    // The file's name reaches the disk too.
    let slash = path.lastIndex(of: "/")
    let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// - Throws: when the file is there and is a link, no file, somebody else's, or open to others.
  private static func checkOwner(_ path: String) throws(StoreError) {
    var facts = stat()
    guard unsafe lstat(path, &facts) == 0 else { return }
    func refused(_ problem: String) -> StoreError {
      StoreError(.unavailable, "the store's file \(path) \(problem)")
    }
    switch facts.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFLNK: throw refused("is a symbolic link: give the path that it leads to")
    default: throw refused("is not a regular file")
    }
    guard facts.st_uid == geteuid() else {
      throw refused(
        "belongs to the user with id \(facts.st_uid): chown \(geteuid()) \(path), if it is yours")
    }
    let mode = facts.st_mode & 0o777
    guard mode & 0o077 == 0 else {
      throw refused(
        "has the mode 0\(String(mode, radix: 8)); make it 0600, for its owner alone: "
          + "chmod 600 \(path)")
    }
    guard facts.st_nlink == 1 else {
      throw refused("has \(facts.st_nlink) names (hard links): it must have one")
    }
  }

  /// Remembers the files that are open now.
  mutating func remember() throws(StoreError) {
    identities = []
    // By the last one two processes that use the store know of each other.
    for path in [path, path + "-wal", path + "-shm"] {
      var facts = stat()
      guard unsafe lstat(path, &facts) == 0 else { throw Self.gone(path) }
      identities.append((path, facts.st_dev, facts.st_ino))
    }
  }

  /// Lends a connection to the file while the file's path leads to it: what is committed to a file that was taken away
  /// is lost, and what is read from it is not what the next start finds.
  ///
  /// - Throws: what the body throws; `.unavailable`, also after the body, because it is not known then what becomes of a
  ///   commit.
  func lend<Value>(
    _ connection: borrowing Connection,
    _ body: (borrowing Connection) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    try check(connection)
    let value = try body(connection)
    try check(connection)
    return value
  }

  private func check(_ connection: borrowing Connection) throws(StoreError) {
    try checkPlace()
    if connection.hasMoved { throw Self.gone(path) }
  }

  /// - Throws: `.unavailable` when the paths do not lead to the files that are open any more, or the files have
  ///   other names too.
  func checkPlace() throws(StoreError) {
    for known in identities {
      var facts = stat()
      guard unsafe lstat(known.path, &facts) == 0 else { throw Self.gone(known.path) }
      guard facts.st_dev == known.device, facts.st_ino == known.number else {
        throw StoreError(
          .unavailable,
          "\(known.path) is another file than the one that omnid opened: put that one back, or "
            + "restart omnid to use what is there now")
      }
      guard facts.st_nlink == 1 else {
        throw StoreError(
          .unavailable,
          "\(known.path) has \(facts.st_nlink) names (hard links): remove the others")
      }
    }
  }

  static func gone(_ path: String) -> StoreError {
    StoreError(
      .unavailable,
      "\(path) was moved or deleted while omnid uses it: put it back where it was, or stop omnid and "
        + "restore the store from a backup")
  }
}
