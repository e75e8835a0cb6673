internal import Glibc
public import Orchestrator

/// The right to use a state directory, held by one process at a time.
///
/// An advisory lock (`flock`) on a file in it. The kernel lets go of it when the process ends,
/// however it ends; the file stays and means nothing by itself.
public struct StateDirectoryLock: ~Copyable, Sendable {
  /// Owned; closing it lets go of the lock.
  private let descriptor: Int32

  /// Takes the lock, or says who holds it.
  ///
  /// Blocks the thread for up to `patience`: a process that was killed holds its lock until the kernel
  /// has taken it apart, and whoever restarts it at once would be turned away.
  ///
  /// - Parameters:
  ///   - directory: has to exist.
  ///   - patience: for how long a lock that is held is tried again, in milliseconds.
  /// - Throws: `.inUse` when another process holds it, `.unavailable` when it cannot be taken.
  public init(directory: String, patience: Int = 2_000) throws(StoreError) {
    let path = directory + "/omnid.lock"
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
      let holder = StateDirectoryLock.holder(descriptor)
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw StoreError(
          .unavailable, "\(path) cannot be locked: \(unsafe String(cString: strerror(reason)))")
      }
      throw StoreError(
        .inUse,
        "the state directory \(directory) is in use by another omnid"
          + (holder.map { ", process \($0)" } ?? "") + ": stop it, or choose another directory")
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
