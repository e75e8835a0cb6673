internal import COpenSSL
internal import Glibc
internal import Synchronization

/// Bytes that are key material: a master key, an opened CA key, a key's PEM.
///
/// The bytes lie in pages of their own, outside the heap: locked into memory where the process may lock
/// (`RLIMIT_MEMLOCK`), left out of core dumps (`MADV_DONTDUMP`), and overwritten before they are given
/// back. What is copied out of the pages is the copier's to wipe: see `Array.wipe()`.
///
/// `@unchecked Sendable`: the bytes are written before `init` returns, and only read until `deinit`.
@safe public final class SecretBytes: @unchecked Sendable {
  /// How many bytes there are.
  public let count: Int
  /// Owned: mapped in `init`, unmapped in `deinit`.
  private let start: UnsafeMutableRawPointer
  /// The bytes that are mapped: whole pages.
  private let mapped: Int

  /// Why a secret could not be locked into memory; nil while every one could.
  private static let refusal = Mutex<String?>(nil)

  /// Why secrets of this process may be swapped out, in words; nil when every one is locked.
  public static var lockRefusal: String? { refusal.withLock { $0 } }

  static func noteUnlocked(_ reason: String) { refusal.withLock { $0 = reason } }

  /// Traps when there is no memory, as any allocation does.
  private init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    self.count = count
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    mapped = max(1, (count + page - 1) / page) * page
    let pages = unsafe mmap(
      nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let pages = unsafe pages, unsafe pages != UnsafeMutableRawPointer(bitPattern: -1) else {
      fatalError("no memory for a secret: \(unsafe String(cString: strerror(errno)))")
    }
    unsafe start = pages
    if unsafe mlock(pages, mapped) != 0 {
      let reason = unsafe String(cString: strerror(errno))
      Self.noteUnlocked(reason)
    }
    _ = unsafe madvise(pages, mapped, MADV_DONTDUMP)
    unsafe fill(UnsafeMutableRawBufferPointer(start: pages, count: count))
  }

  /// Copies the bytes; the caller's array stays the caller's to wipe.
  public convenience init(copying bytes: [UInt8]) {
    unsafe self.init(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
  }

  /// Takes the bytes over: the array is wiped, if nobody shares it, and empty afterwards.
  public convenience init(taking bytes: inout [UInt8]) {
    self.init(copying: bytes)
    bytes.wipe()
    bytes = []
  }

  /// `count` random bytes. Traps when the generator fails, as `Random.bytes` does.
  public convenience init(random count: Int) {
    OpenSSL.begin()
    unsafe self.init(count: count) { buffer in
      let bytes = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      precondition(unsafe RAND_bytes(bytes, Int32(count)) == 1, "the random generator failed")
    }
  }

  deinit {
    unsafe OPENSSL_cleanse(start, mapped)
    unsafe munmap(start, mapped)
  }

  /// Lends the bytes.
  public func withSpan<Value, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let bytes = unsafe UnsafeBufferPointer(
      start: start.assumingMemoryBound(to: UInt8.self), count: count)
    return try body(unsafe bytes.span)
  }

  /// Lends the address of the bytes to a call into a C library.
  func withPointer<Value, Failure: Error>(
    _ body: (UnsafePointer<UInt8>) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    try unsafe body(UnsafePointer(start.assumingMemoryBound(to: UInt8.self)))
  }

  /// A copy outside the protected pages, the caller's to wipe.
  public func copy() -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
  }

  /// The bytes as UTF-8 text in a string, for what takes nothing else. Swift has no way to wipe a string: its
  /// bytes are overwritten where the program's heap overwrites what is given back (`CWipingHeap`).
  public var unprotectedText: String {
    withSpan { span in
      unsafe String(unsafeUninitializedCapacity: count) { buffer in
        for index in span.indices { unsafe buffer[index] = span[index] }
        return count
      }
    }
  }

  /// Whether the bytes are the same; takes as long when they are not.
  public func isEqual(to other: SecretBytes) -> Bool {
    unsafe count == other.count && CRYPTO_memcmp(start, other.start, count) == 0
  }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "secret of \(count) bytes" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension [UInt8] {
  /// Overwrites bytes that held key material with zeros, in a way the optimizer keeps.
  ///
  /// An array that is shared is copied first, as with every change: wipe what has one owner.
  public mutating func wipe() { cleanse(&self) }
}
