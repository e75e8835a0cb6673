internal import Encodings
internal import Glibc

/// The file that holds the master key: 32 bytes, for its owner alone.
public enum MasterKeyFile {
  /// Reads the key; makes a random one first when there is no file.
  ///
  /// A new file appears whole or not at all: it is written under another name, synced, and then
  /// linked to `path`. Of two programs that make one at the same time, both read the one that came
  /// first.
  ///
  /// - Throws: `.fileRefused` when the file is a link or not a regular file, belongs to another
  ///   user,
  ///   can be read or written by group or others, has another size, holds no random bytes, or cannot be
  ///   read or made.
  public static func loadOrCreate(_ path: String) throws(CryptoError) -> SecretBytes {
    if let key = try read(path, allowedMode: 0o700) { return key }
    try create(path)
    return try load(path)
  }

  /// Gives the key file at `temporary` its final name, which nothing may have yet.
  ///
  /// - Throws: `.fileRefused` when `path` is taken, or the file cannot be given the name.
  public static func adopt(_ temporary: String, as path: String) throws(CryptoError) {
    guard unsafe link(temporary, path) == 0 else {
      throw refused(path, "cannot be made from \(temporary): \(errorText())")
    }
    _ = unsafe unlink(temporary)
    try syncDirectory(of: path)
  }

  /// Puts the key file at `newer` in the place of the one at `path`, which is gone then.
  ///
  /// - Throws: `.fileRefused` when that cannot be done; then both are as they were.
  public static func replace(_ path: String, by newer: String) throws(CryptoError) {
    guard unsafe rename(newer, path) == 0 else {
      throw refused(path, "cannot be replaced by \(newer): \(errorText())")
    }
    try syncDirectory(of: path)
  }

  /// Reads a key that must exist, under the same conditions.
  public static func load(_ path: String) throws(CryptoError) -> SecretBytes {
    guard let key = try read(path, allowedMode: 0o700) else {
      throw CryptoError(.fileRefused, "there is no master key file at \(path)")
    }
    return key
  }

  /// Reads a key that the service manager hands over (a systemd credential): the file may also
  /// belong to root and be readable by a group, since access lists show as group bits.
  public static func loadCredential(_ path: String) throws(CryptoError) -> SecretBytes {
    guard let key = try read(path, allowedMode: 0o740) else {
      throw CryptoError(.fileRefused, "there is no master key credential at \(path)")
    }
    return key
  }

  /// The file's key; nil when there is no file.
  private static func read(_ path: String, allowedMode: mode_t) throws(CryptoError) -> SecretBytes?
  {
    // Without waiting, should there be a pipe in place of the file.
    let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      switch errno {
      case ENOENT: return nil
      case ELOOP: throw refused(path, "is a symbolic link")
      default: throw refused(path, "cannot be opened: \(errorText())")
      }
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw refused(path, errorText()) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw refused(path, "is not a regular file") }
    let mode = status.st_mode & 0o777
    guard mode & ~allowedMode == 0 else {
      throw refused(
        path,
        "has the mode 0\(String(mode, radix: 8)); make it 0600, for its owner alone: chmod 600 \(path)"
      )
    }
    let isRootAllowed = allowedMode & 0o040 != 0
    guard status.st_uid == geteuid() || (isRootAllowed && status.st_uid == 0) else {
      throw refused(path, "belongs to the user with id \(status.st_uid)")
    }
    guard status.st_size == Sealer.keySize else {
      throw refused(path, "has \(status.st_size) bytes; a master key has \(Sealer.keySize)")
    }
    var key = [UInt8](repeating: 0, count: Sealer.keySize)
    defer { key.wipe() }
    var filled = 0
    while filled < key.count {
      let amount = unsafe key.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(file, buffer.baseAddress! + filled, buffer.count - filled)
      }
      if amount < 0, errno == EINTR { continue }
      guard amount > 0 else { throw refused(path, "cannot be read: \(errorText())") }
      filled += amount
    }
    // Of 32 random bytes, fewer than 8 different ones are as good as impossible.
    guard Set(key).count >= 8 else {
      throw refused(
        path, "holds no random bytes; make a key with 'head -c 32 /dev/urandom' and give that")
    }
    return SecretBytes(copying: key)
  }

  /// Writes a key to a new file. What bears the name is replaced.
  ///
  /// - Throws: `.fileRefused` when it cannot be made.
  public static func make(_ path: String, holding key: SecretBytes) throws(CryptoError) {
    _ = unsafe unlink(path)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.count)
    key.withSpan { key in for index in key.indices { bytes.append(key[index]) } }
    try create(path, &bytes)
  }

  private static func create(_ path: String) throws(CryptoError) {
    var key = Random.bytes(Sealer.keySize)
    try create(path, &key)
  }

  /// - Parameter key: wiped afterwards.
  private static func create(_ path: String, _ key: inout [UInt8]) throws(CryptoError) {
    let temporary = "\(path).\(Hexadecimal.encode(Random.bytes(8))).new"
    let file = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw refused(path, "cannot be made: \(errorText())") }
    defer { _ = unsafe unlink(temporary) }
    defer { key.wipe() }
    // The mode once more, since the process' mask may have taken bits away.
    let isWritten =
      unsafe fchmod(file, 0o600) == 0 && Glibc.write(file, key, key.count) == key.count
      && fsync(file) == 0
    let reason = errorText()
    close(file)
    guard isWritten else { throw refused(path, "cannot be written: \(reason)") }
    // Unlike a rename, a link never replaces a key that another program has made meanwhile.
    guard unsafe link(temporary, path) == 0 || errno == EEXIST else {
      throw refused(path, "cannot be made: \(errorText())")
    }
    try syncDirectory(of: path)
  }

  /// Makes the directory entry last.
  private static func syncDirectory(of path: String) throws(CryptoError) {
    let end = path.lastIndex(of: "/")
    let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let handle = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { throw refused(path, "its directory cannot be opened: \(errorText())") }
    defer { close(handle) }
    guard fsync(handle) == 0 else {
      throw refused(path, "its directory cannot be synced: \(errorText())")
    }
  }

  private static func refused(_ path: String, _ reason: String) -> CryptoError {
    CryptoError(.fileRefused, "the master key file \(path) \(reason)")
  }

  private static func errorText() -> String { unsafe String(cString: strerror(errno)) }
}
