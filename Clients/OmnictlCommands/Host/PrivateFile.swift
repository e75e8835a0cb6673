internal import Glibc

/// Files that hold keys.
enum PrivateFile {
  struct Failure: Error, Equatable {
    var reason: String
  }

  /// Writes a file of mode 0600 in one step: it is complete or it is not there, and it is never
  /// readable for others, not even for a moment. What the path held before is replaced, when that is
  /// a regular file; anything else (a link, a device, a directory) is left alone.
  static func write(_ text: String, to path: String) throws(Failure) {
    var existing = stat()
    if lstat(path, &existing) == 0 {
      guard existing.st_mode & S_IFMT == S_IFREG else {
        throw Failure(reason: "it exists and is no regular file")
      }
    } else if errno != ENOENT {
      throw Failure(reason: Descriptor.message(errno))
    }
    let (file, temporary) = try create(beside: path)
    var failure = Descriptor.write(Array(text.utf8), to: file)
    // The mode that was asked for at creation, whatever the umask made of it.
    if failure == nil, fchmod(file, 0o600) != 0 || fsync(file) != 0 { failure = errno }
    if close(file) != 0 && failure == nil { failure = errno }
    if failure == nil, rename(temporary, path) != 0 { failure = errno }
    if let failure {
      unlink(temporary)
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
