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
    let stream = LogStream(descriptor: pipe.write, patience: 10)
    let line = String(repeating: "x", count: 999) + "\n"
    let start = ContinuousClock.now
    for _ in 0..<10_000 { stream.write(line, notice: Self.notice) }
    // Waited for once: ten thousand times the patience would be 100 s.
    #expect(ContinuousClock.now - start < .seconds(20))
    let first = pipe.drain()
    let whole = first.split(separator: "\n").count { $0.count == 999 }
    #expect(whole >= 16)
    stream.write("back\n", notice: Self.notice)
    let second = pipe.drain()
    #expect(second.hasSuffix("lost \(10_000 - whole)\nback\n"), "\(second)")
    stream.write("and on\n", notice: Self.notice)
    #expect(pipe.drain() == "and on\n")
    close(pipe.read)
    close(pipe.write)
  }

  @Test("A long line that was cut short ends before the next one begins")
  func cutShort() {
    let pipe = Pipe()
    let stream = LogStream(descriptor: pipe.write, patience: 10)
    stream.write(String(repeating: "x", count: 1 << 20) + "\n", notice: Self.notice)
    let cut = pipe.drain()
    #expect(!cut.isEmpty && cut.allSatisfy { $0 == "x" })
    stream.write("next\n", notice: Self.notice)
    #expect(pipe.drain() == "\nlost 1\nnext\n")
    close(pipe.read)
    close(pipe.write)
  }

  @Test("A reader that is gone is no reason to wait or to end")
  func gone() {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    close(pipe.read)
    let stream = LogStream(descriptor: pipe.write, patience: 10)
    for _ in 0..<100 { stream.write("line\n", notice: Self.notice) }
    close(pipe.write)
  }
}
