internal import Glibc
public import Orchestrator

/// The right to use a state directory or a store, held by one process at a time.
///
/// An advisory lock (`flock`) on a file in the directory, or beside the store. The kernel lets go of it
/// when the process ends, however it ends; the file stays and means nothing by itself.
public struct ProcessLock: ~Copyable, Sendable {
  /// Owned; closing it lets go of the lock.
  private let descriptor: Int32

  /// Takes the lock of a directory, or says who holds it.
  ///
  /// Blocks the thread for up to `patience`: a process that was killed holds its lock until the kernel
  /// has taken it apart, and whoever restarts it at once would be turned away.
  ///
  /// - Parameters:
  ///   - directory: has to exist.
  ///   - patience: for how long a lock that is held is tried again, in milliseconds.
  /// - Throws: `.inUse` when another process holds it, `.unavailable` when it cannot be taken.
  public init(directory: String, patience: Int = 2_000) throws(StoreError) {
    try self.init(
      file: directory + "/omnid.lock", of: "the state directory \(directory)", patience: patience)
  }

  /// The same for a store, whatever symbolic links lead to it.
  ///
  /// - Parameters:
  ///   - store: the file; need not exist, but its directory.
  /// - Throws: `.unavailable` for a file of several names too (hard links): SQLite keeps its write-ahead log
  ///   beside the name, so that two names would be two databases.
  public init(store: String, patience: Int = 2_000) throws(StoreError) {
    var facts = stat()
    if unsafe stat(store, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_nlink > 1 {
      throw StoreError(
        .unavailable,
        "the store \(store) has \(facts.st_nlink) names (hard links): it must have one")
    }
    try self.init(
      file: Self.resolved(store) + "-lock", of: "the store \(store)", patience: patience)
  }

  /// The path without symbolic links, also where the last of them leads to a file that is yet to be made.
  private static func resolved(_ path: String, links: Int = 0) -> String {
    func real(_ path: String) -> String? {
      guard let found = unsafe realpath(path, nil) else { return nil }
      defer { unsafe free(found) }
      return unsafe String(cString: found)
    }
    if let whole = real(path) { return whole }
    let slash = path.lastIndex(of: "/")
    let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = real(parent) ?? parent
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink(path, &target, target.count)
    if length > 0, links < 40 {
      let link = String(decoding: target[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return resolved(link.hasPrefix("/") ? link : directory + "/" + link, links: links + 1)
    }
    return directory + "/" + (slash.map { path[path.index(after: $0)...] } ?? path[...])
  }

  private init(file path: String, of subject: String, patience: Int) throws(StoreError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw StoreError(
        .unavailable,
        "\(path) cannot be opened: \(unsafe String(cString: strerror(errno)))")
    }
    let pause = 20
    var waited = 0
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK, waited < patience {
        usleep(UInt32(pause) * 1_000)
        waited += pause
        continue
      }
      let reason = errno
      let holder = ProcessLock.holder(descriptor)
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw StoreError(
          .unavailable, "\(path) cannot be locked: \(unsafe String(cString: strerror(reason)))")
      }
      throw StoreError(
        .inUse,
        "\(subject) is in use by another omnid" + (holder.map { ", process \($0)" } ?? "")
          + ": stop it, or choose another")
    }
    // For people only: the lock itself is the kernel's.
    var text = "\(getpid())\n"
    ftruncate(descriptor, 0)
    _ = text.withUTF8 { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The process number in the file.
  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard count > 0 else { return nil }
    let digits = bytes.prefix(count).prefix { (0x30...0x39).contains($0) }
    return Int32(String(decoding: digits, as: UTF8.self))
  }
}
