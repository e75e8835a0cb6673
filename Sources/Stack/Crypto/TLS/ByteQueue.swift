internal import COpenSSL
internal import Glibc

/// Bytes in a row: appended at the end, taken at the front. Its memory is given back when it runs
/// empty, so that an idle connection holds none.
@safe struct ByteQueue: ~Copyable {
  /// Owned; nil while the queue is empty. Bytes `head..<tail` are filled.
  private var storage: UnsafeMutableRawPointer?
  private var capacity = 0
  private var head = 0
  private var tail = 0

  init() {}

  deinit { unsafe free(storage) }

  var count: Int { tail - head }
  var isEmpty: Bool { head == tail }

  /// Makes room for `additional` bytes behind the last one.
  mutating func reserve(_ additional: Int) {
    guard tail + additional > capacity else { return }
    let filled = count
    if let storage = unsafe storage, head > 0 {
      unsafe memmove(storage, storage + head, filled)
    }
    head = 0
    tail = filled
    guard filled + additional > capacity else { return }
    let wanted = max(filled + additional, capacity * 2, 512)
    guard let grown = unsafe realloc(storage, wanted) else { fatalError("out of memory") }
    unsafe storage = grown
    capacity = wanted
  }

  /// Appends a copy of `bytes`, which stay the caller's.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
    reserve(bytes.count)
    guard let storage = unsafe storage else { return }
    unsafe memcpy(storage + tail, source, bytes.count)
    tail += bytes.count
  }

  /// Copies up to `destination.count` bytes out of the queue; returns how many.
  mutating func take(into destination: UnsafeMutableRawBufferPointer) -> Int {
    let taken = min(destination.count, count)
    guard taken > 0, let storage = unsafe storage, let target = destination.baseAddress
    else {
      return 0
    }
    unsafe memcpy(target, storage + head, taken)
    drop(taken)
    return taken
  }

  /// Removes the first `amount` bytes.
  mutating func drop(_ amount: Int) {
    head += min(amount, count)
    if isEmpty { releaseStorage() }
  }

  /// The bytes, lent for the call.
  func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    guard let storage = unsafe storage else {
      return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    return unsafe body(UnsafeRawBufferPointer(start: storage + head, count: count))
  }

  private mutating func releaseStorage() {
    unsafe free(storage)
    unsafe storage = nil
    capacity = 0
    head = 0
    tail = 0
  }
}
