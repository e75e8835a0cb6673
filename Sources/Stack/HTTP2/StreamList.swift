/// The streams of a session that are not closed, newest first. The list retains each stream once for as
/// long as the stream is linked; nghttp2's user data borrows from the list.
@safe
struct StreamList {
  private(set) var first: Unmanaged<HTTP2Stream>?
  private(set) var count = 0
  /// The stream asked for last: most callbacks come in runs for one stream.
  private var latest: (id: Int32, stream: Unmanaged<HTTP2Stream>)?

  /// Takes a stream in, and retains it.
  mutating func link(_ stream: HTTP2Stream) -> Unmanaged<HTTP2Stream> {
    count += 1
    let linked = unsafe Unmanaged.passRetained(stream)
    unsafe stream.next = first
    unsafe first?._withUnsafeGuaranteedRef { unsafe $0.previous = linked }
    unsafe first = linked
    return unsafe linked
  }

  /// Takes a stream out, and with it the list's reference to the stream.
  @discardableResult
  mutating func unlink(_ reference: Unmanaged<HTTP2Stream>) -> HTTP2Stream {
    count -= 1
    unsafe latest = nil
    let stream = unsafe reference.takeRetainedValue()
    if let previous = unsafe stream.previous {
      unsafe previous._withUnsafeGuaranteedRef { unsafe $0.next = stream.next }
    } else {
      unsafe first = stream.next
    }
    unsafe stream.next?._withUnsafeGuaranteedRef { unsafe $0.previous = stream.previous }
    unsafe stream.next = nil
    unsafe stream.previous = nil
    return stream
  }

  func forEach(_ body: (HTTP2Stream) -> Void) {
    var at = unsafe first
    while let stream = unsafe at {
      unsafe at = unsafe stream._withUnsafeGuaranteedRef { stream in
        body(stream)
        return unsafe stream.next
      }
    }
  }

  mutating func unlinkAll() {
    while let stream = unsafe first { unsafe unlink(stream) }
  }

  /// Says that the stream will be asked for next.
  @inline(__always)
  mutating func expect(_ id: Int32, _ stream: Unmanaged<HTTP2Stream>) {
    unsafe latest = unsafe (id, stream)
  }

  /// The stream with the number.
  ///
  /// - Parameter find: nghttp2's user data for the number, asked where the list does not know by itself.
  @inline(__always)
  mutating func stream(
    _ id: Int32, find: () -> UnsafeMutableRawPointer?
  ) -> Unmanaged<HTTP2Stream>? {
    if let latest = unsafe latest, unsafe latest.id == id { return unsafe latest.stream }
    guard let pointer = unsafe find() else { return nil }
    let stream = unsafe Unmanaged<HTTP2Stream>.fromOpaque(pointer)
    unsafe latest = unsafe (id, stream)
    return unsafe stream
  }

  /// The stream with the number, searched for from the newest on: for a number that nghttp2 has forgotten.
  func search(_ id: Int32) -> Unmanaged<HTTP2Stream>? {
    var at = unsafe first
    while let stream = unsafe at {
      let (number, next) = unsafe stream._withUnsafeGuaranteedRef { unsafe ($0.id, $0.next) }
      if number == id { return unsafe stream }
      unsafe at = next
    }
    return nil
  }
}
