internal import Glibc
internal import Synchronization

/// Where the log goes: a descriptor whose reader may stall, and which must hold nobody up then.
///
/// A pipe that nobody reads, a terminal that was stopped with ^S, a log collector that hangs: lines that
/// find no room are lost, and the next one that does says how many there were. A reader that only takes a
/// breath is waited for, once.
public final class LogStream: Sendable {
  private struct State {
    /// There was no room the last time.
    var isStalled = false
    var lostLines = 0
    /// A line was cut short.
    var isAmidLine = false
  }

  private let descriptor: Int32
  private let patience: Int32
  private let state = Mutex(State())
  /// A pipe that is writable takes this much at once (pipe(7), PIPE_BUF).
  private static let pieceBytes = 4096

  /// Standard error.
  public static let standard = LogStream(descriptor: STDERR_FILENO)

  /// - Parameters:
  ///   - descriptor: borrowed; it stays open.
  ///   - patience: how long a reader is waited for that has kept up so far, in milliseconds.
  public init(descriptor: Int32, patience: Int32 = 50) {
    self.descriptor = descriptor
    self.patience = patience
  }

  /// Writes a line, with its line feed, or loses it.
  ///
  /// - Parameter notice: the line that says how many were lost.
  public func write(_ line: String, notice: (_ lostLines: Int) -> String) {
    state.withLock { state in
      if state.lostLines > 0 || state.isAmidLine {
        guard hasRoom(&state) else {
          state.lostLines += 1
          return
        }
        let lost = state.lostLines
        guard put((state.isAmidLine ? "\n" : "") + (lost > 0 ? notice(lost) : ""), &state) else {
          state.lostLines += 1
          return
        }
        state.lostLines = 0
        state.isAmidLine = false
      }
      if !put(line, &state) { state.lostLines += 1 }
    }
  }

  /// False when not all of it could be written.
  private func put(_ text: String, _ state: inout State) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      guard hasRoom(&state) else {
        state.isAmidLine = state.isAmidLine || rest.startIndex > 0
        return false
      }
      let written = unsafe rest.prefix(Self.pieceBytes).withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      if written < 0 && errno == EINTR { continue }
      // Closed, or the disk is full: there is nobody to tell.
      guard written > 0 else { return true }
      rest = rest.dropFirst(written)
    }
    return true
  }

  private func hasRoom(_ state: inout State) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    let isReady = unsafe poll(&polled, 1, state.isStalled ? 0 : patience) > 0
    state.isStalled = !isReady
    return isReady
  }
}
