internal import Dispatch
internal import Glibc
internal import Synchronization

/// Where the log goes: a descriptor whose reader may be slow or stall, and which must hold nobody up then.
///
/// A pipe that nobody reads, a terminal whose other end hangs, a log collector that is stuck: a thread of
/// its own waits for them. What does not fit into the buffer meanwhile is lost, line by line, and the next
/// line that does fit says before it how many there were.
public final class LogStream: Sendable {
  private struct State {
    /// What waits to be written.
    var buffer: [UInt8] = []
    var lostLines = 0
    /// The thread is at work.
    var isWriting = false
  }

  private let descriptor: Int32
  private let bufferBytes: Int
  private let state = Mutex(State())
  private let writer = DispatchQueue(label: "log")

  /// Standard error.
  public static let standard = LogStream(descriptor: STDERR_FILENO)

  /// - Parameters:
  ///   - descriptor: borrowed; it stays open.
  ///   - bufferBytes: how much may wait.
  public init(descriptor: Int32, bufferBytes: Int = 256 << 10) {
    self.descriptor = descriptor
    self.bufferBytes = bufferBytes
  }

  /// Takes a line, with its line feed, to be written soon; or loses it.
  ///
  /// - Parameter notice: the line that says how many were lost.
  public func write(_ line: String, notice: (_ lostLines: Int) -> String) {
    let mustStart = state.withLock { state in
      let lost = state.lostLines > 0 ? notice(state.lostLines) : ""
      guard state.buffer.count + lost.utf8.count + line.utf8.count <= bufferBytes else {
        state.lostLines += 1
        return false
      }
      state.lostLines = 0
      state.buffer += lost.utf8
      state.buffer += line.utf8
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if mustStart { writer.async { self.drain() } }
  }

  /// Waits until everything is written, for at most that many milliseconds.
  public func flush(patience: Int = 500) {
    for _ in 0..<patience where state.withLock({ $0.isWriting }) { usleep(1000) }
  }

  /// On the thread.
  private func drain() {
    while true {
      let bytes = state.withLock { state in
        if state.buffer.isEmpty { state.isWriting = false }
        defer { state.buffer = [] }
        return state.buffer
      }
      if bytes.isEmpty { return }
      put(bytes[...])
    }
  }

  private func put(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written < 0 && errno == EAGAIN {
        // Somebody has made the descriptor non-blocking.
        var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&polled, 1, 1000)
      } else if written == 0 || errno != EINTR {
        // Closed, or the disk is full: there is nobody to tell.
        return
      }
    }
  }
}
