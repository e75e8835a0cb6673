internal import Glibc
internal import Synchronization

/// One of the standard streams, unbuffered: what is written is out.
final class StandardStream: TextSink {
  static let output = StandardStream(descriptor: STDOUT_FILENO)
  static let errors = StandardStream(descriptor: STDERR_FILENO)

  let descriptor: Int32
  private let errorNumber = Atomic<Int32>(0)

  init(descriptor: Int32) { self.descriptor = descriptor }

  func write(_ text: String) {
    if let failed = Descriptor.write(Array(text.utf8), to: descriptor) {
      errorNumber.store(failed, ordering: .relaxed)
    }
  }

  /// A reader that has had enough, such as `head`, is no failure.
  var failure: String? {
    let failed = errorNumber.load(ordering: .relaxed)
    return failed == 0 || failed == EPIPE ? nil : Descriptor.message(failed)
  }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  var columns: Int? { isTerminal ? windowSize.columns : nil }

  /// Asked anew each time, since windows change. A terminal that does not tell counts as 80×24.
  var windowSize: ScreenSize {
    var window = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0
    else { return ScreenSize(columns: 80, rows: 24) }
    return ScreenSize(columns: Int(window.ws_col), rows: Int(window.ws_row))
  }
}

/// Reading and writing whole contents.
enum Descriptor {
  /// Writes everything; on failure the error number.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        guard errno == EAGAIN, isWritable(descriptor) else { return errno }
        continue
      }
      rest.removeFirst(count)
    }
    return nil
  }

  /// Waits for a descriptor that somebody else has made non-blocking.
  private static func isWritable(_ descriptor: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&waiting, 1, -1) >= 0 || errno == EINTR
  }

  enum ReadFailure: Error {
    case errorNumber(Int32)
    case tooLong
  }

  /// Reads to the end.
  static func read(_ descriptor: Int32, limit: Int) throws(ReadFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw .errorNumber(errno)
      }
      bytes += block[..<count]
      if bytes.count > limit { throw .tooLong }
    }
  }

  static func message(_ errorNumber: Int32) -> String { String(cString: strerror(errorNumber)) }
}
