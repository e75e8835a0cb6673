internal import Glibc
internal import Platform
internal import Synchronization

/// One of the standard streams, unbuffered: what is written is out.
final class StandardStream: TextSink {
  static let output = StandardStream(descriptor: STDOUT_FILENO)
  static let errors = StandardStream(descriptor: STDERR_FILENO)

  let descriptor: Int32
  private let errorNumber = Atomic<Int32>(0)

  init(descriptor: Int32) { self.descriptor = descriptor }

  func write(_ text: String) {
    if let failed = Descriptor.write(text, to: descriptor) {
      errorNumber.store(failed, ordering: .relaxed)
    }
  }

  /// A reader that has had enough, such as `head`, is no failure.
  var failure: String? {
    let failed = errorNumber.load(ordering: .relaxed)
    return failed == 0 || failed == EPIPE ? nil : Descriptor.message(failed)
  }

  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// A terminal of another session than this process' counts as its own: nobody else draws on it.
  var isForeground: Bool {
    let group = tcgetpgrp(descriptor)
    return group < 0 || group == getpgrp()
  }

  var columns: Int? { isTerminal ? windowSize.columns : nil }

  /// Asked anew each time, since windows change. A terminal that does not tell counts as 80×24.
  var windowSize: ScreenSize {
    var window = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0
    else { return ScreenSize(columns: 80, rows: 24) }
    return ScreenSize(columns: Int(window.ws_col), rows: Int(window.ws_row))
  }
}
