import Glibc
import Testing

@testable import Daemon

@Suite("Where the log goes", .timeLimit(.minutes(1)))
struct LogStreamTests {
  private struct Pipe {
    var read: Int32
    var write: Int32

    init() {
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      (read, write) = (ends[0], ends[1])
    }

    /// What is there to be read.
    func drain() -> String {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      var polled = pollfd(fd: read, events: Int16(POLLIN), revents: 0)
      while poll(&polled, 1, 0) > 0 {
        let count = Glibc.read(read, &buffer, buffer.count)
        if count <= 0 { break }
        bytes += buffer[..<count]
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static func notice(_ lost: Int) -> String { "lost \(lost)\n" }

  @Test("A reader that stalls holds nobody up, and is told what it has missed")
  func stalled() {
    let pipe = Pipe()
    let stream = LogStream(descriptor: pipe.write, bufferBytes: 100_000)
    let line = String(repeating: "x", count: 999) + "\n"
    let start = ContinuousClock.now
    for _ in 0..<10_000 { stream.write(line, notice: Self.notice) }
    #expect(ContinuousClock.now - start < .seconds(10))
    stream.flush(patience: 10)
    // The reader is back: what was kept comes, and the next line says what did not.
    var text = ""
    for _ in 0..<100 {
      text += pipe.drain()
      usleep(1000)
    }
    stream.flush()
    stream.write("back\n", notice: Self.notice)
    stream.flush()
    text += pipe.drain()
    let lines = text.split(separator: "\n")
    let whole = lines.count { $0.count == 999 }
    let lost = lines.compactMap { $0.hasPrefix("lost ") ? Int($0.dropFirst(5)) : nil }.reduce(0, +)
    #expect(whole >= 100 && whole + lost == 10_000 && lines.last == "back")
    #expect(lines.dropLast().last?.hasPrefix("lost ") == true)
    stream.write("and on\n", notice: Self.notice)
    stream.flush()
    #expect(pipe.drain() == "and on\n")
    close(pipe.read)
    close(pipe.write)
  }

  @Test("A terminal whose other end nobody reads holds nobody up")
  func terminal() throws {
    // pty(7); the numbers are TIOCSPTLCK and TIOCGPTN.
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var lock: Int32 = 0
    var number: Int32 = 0
    #expect(ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    #expect(slave >= 0)
    let stream = LogStream(descriptor: slave, bufferBytes: 20_000)
    let start = ContinuousClock.now
    for _ in 0..<10_000 {
      stream.write(String(repeating: "x", count: 149) + "\n", notice: Self.notice)
    }
    stream.flush(patience: 10)
    #expect(ContinuousClock.now - start < .seconds(10))
    // Lets the thread go.
    close(master)
    stream.flush()
    close(slave)
  }

  @Test("A reader that is gone is no reason to wait or to end")
  func gone() {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    close(pipe.read)
    let stream = LogStream(descriptor: pipe.write)
    for _ in 0..<100 { stream.write("line\n", notice: Self.notice) }
    stream.flush()
    close(pipe.write)
  }
}
