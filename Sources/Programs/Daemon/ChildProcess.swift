internal import CProcess
internal import Glibc

/// A program that is run to its end, in a process group of its own, with nothing of this process but what it is given.
public enum ChildProcess {
  /// How a program has ended.
  public enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
    /// It took too long, and was killed with everything that it had started.
    case timedOut
    /// Whoever wanted it to run does so no more; it was killed likewise.
    case cancelled
  }

  /// Runs a program and waits for its end. Blocks.
  ///
  /// It gets `input` on its standard input, and an environment of `environment` and a mark alone; it starts in `/`, with no
  /// other descriptor of this process, no signal blocked and none ignored. Its standard output and standard error
  /// are one. When it has ended, what it has left behind in its process group is killed. Where it has to be ended, so is what
  /// `ProcessDescendants` finds.
  ///
  /// - Parameters:
  ///   - path: an absolute path.
  ///   - outputLimit: the first bytes of the output, which are kept; the rest is read and thrown away.
  ///   - isCancelled: asked every few hundredths of a second.
  /// - Throws: when it cannot be started.
  public static func run(
    _ path: String, arguments: [String] = [], environment: [String], input: [UInt8],
    timeout: Duration, outputLimit: Int, isCancelled: () -> Bool = { false }
  ) throws(DaemonError) -> (ending: Ending, output: [UInt8]) {
    // A file in memory, not a pipe: the program may leave it unread, or read it twice.
    let inputFile = cprocess_memory_file()
    guard inputFile >= 0 else { throw DaemonError(errno: errno, "a file in memory") }
    defer { close(inputFile) }
    guard PrivateFiles.writeAll(input, inputFile), lseek(inputFile, 0, SEEK_SET) == 0 else {
      throw DaemonError(errno: errno, "the input of \(path)")
    }
    var ends: [Int32] = [-1, -1]
    guard unsafe cprocess_pipe(&ends) == 0 else { throw DaemonError(errno: errno, "a pipe") }
    var output = Output(ends[0], limit: outputLimit)
    defer { output.close() }
    let mark = ProcessDescendants.newMark()
    let pid: pid_t
    do {
      defer { close(ends[1]) }
      pid = try start(path, arguments, environment + [mark], inputFile, ends[1])
    }
    let deadline = ContinuousClock.now + timeout
    var forced: Ending?
    while !hasEnded(pid) {
      if isCancelled() { forced = .cancelled }
      if ContinuousClock.now >= deadline { forced = forced ?? .timedOut }
      if forced != nil { break }
      output.wait(milliseconds: 20)
    }
    // Before the leader is waited for: as long as it is a zombie nobody else can have its number, nor its group's. The group
    // stands still while it is looked at, because what has a parent yet is known by it.
    kill(-pid, SIGSTOP)
    let descendants = ProcessDescendants(leader: pid, mark: Array(mark.utf8))
    let escaped = forced == nil ? [] : descendants.living
    kill(-pid, SIGKILL)
    if forced != nil {
      // It may have joined another group.
      kill(pid, SIGKILL)
      ProcessDescendants.kill(escaped)
      descendants.kill()
    }
    var status: Int32 = 0
    var reaped: pid_t
    repeat { reaped = unsafe waitpid(pid, &status, 0) } while reaped < 0 && errno == EINTR
    // Without its end nobody knows what it has said.
    guard reaped == pid else { throw DaemonError(errno: errno, "the end of \(path)") }
    output.drain()
    if let forced { return (forced, output.bytes) }
    let signal = status & 0x7f
    return (signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal), output.bytes)
  }

  /// Whether the process has ended; it stays to be waited for.
  private static func hasEnded(_ pid: pid_t) -> Bool {
    var information = unsafe siginfo_t()
    let result = unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
    return unsafe result != 0 || information.si_signo == SIGCHLD
  }

  private static func start(
    _ path: String, _ arguments: [String], _ environment: [String], _ input: Int32, _ output: Int32
  ) throws(DaemonError) -> pid_t {
    var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
    var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (words + variables).forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let result = unsafe cprocess_spawn(&pid, path, &words, &variables, input, output)
    guard result == 0 else { throw DaemonError(errno: result, path) }
    return pid
  }
}

/// What comes from a child.
private struct Output {
  private var descriptor: Int32
  private let limit: Int
  private(set) var bytes: [UInt8] = []

  init(_ descriptor: Int32, limit: Int) {
    self.descriptor = descriptor
    self.limit = limit
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  /// Waits for a moment until there is something, and takes it.
  mutating func wait(milliseconds: Int32) {
    // A descriptor that is negative is not looked at: whoever has closed its output is only waited for.
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    if unsafe poll(&waiting, 1, milliseconds) > 0 { take() }
  }

  /// What was written before the end is in the pipe. A descendant that has left the group may hold the pipe open, and
  /// go on writing: what a pipe holds is enough.
  mutating func drain() {
    for _ in 0..<64 { guard take() else { return } }
  }

  /// - Returns: whether there may be more.
  @discardableResult
  private mutating func take() -> Bool {
    guard descriptor >= 0 else { return false }
    var block = [UInt8](repeating: 0, count: 16 << 10)
    let count = unsafe block.withUnsafeMutableBytes {
      unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
    }
    if count > 0 {
      bytes += block[..<min(count, limit - bytes.count)]
      return true
    }
    if count < 0, errno == EINTR || errno == EAGAIN { return errno == EINTR }
    close()
    return false
  }

  mutating func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}
