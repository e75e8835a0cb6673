import Foundation
import Glibc
import Synchronization
import Testing

@testable import Daemon

@Suite("Programs that are run", .timeLimit(.minutes(1)))
struct ChildProcessTests {
  private func run(
    _ script: String, input: String = "", timeout: Duration = .seconds(20), limit: Int = 4096,
    isCancelled: () -> Bool = { false }
  ) throws -> (ending: ChildProcess.Ending, output: String) {
    let (ending, output) = try ChildProcess.run(
      "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin", "A=b"],
      input: Array(input.utf8), timeout: timeout, outputLimit: limit, isCancelled: isCancelled)
    return (ending, String(decoding: output, as: UTF8.self))
  }

  @Test("It gets its input, and both of its outputs and its status come back")
  func talks() throws {
    let (ending, output) = try run("cat; echo err >&2; exit 7", input: "hello\n")
    #expect(ending == .exited(7) && output == "hello\nerr\n")
    #expect(try run("exit 0").ending == .exited(0))
    #expect(try run("kill -9 $$").ending == .signalled(9))
  }

  @Test("An input that nobody reads, and one that is read twice, are no trouble")
  func input() throws {
    let long = String(repeating: "x", count: 1 << 20)
    #expect(try run("exit 3", input: long).ending == .exited(3))
    #expect(
      try run("head -c 3 < /dev/stdin; head -c 2 < /dev/stdin", input: long).output == "xxxxx")
  }

  @Test("Of a long output the first bytes are kept, and the rest holds nobody up")
  func output() throws {
    let (ending, output) = try run("head -c 3000000 /dev/zero | tr '\\0' a; exit 4", limit: 100)
    #expect(ending == .exited(4) && output == String(repeating: "a", count: 100))
  }

  @Test("What takes too long, or is wanted no more, is killed with what it has started")
  func killed() throws {
    let script = "trap '' TERM; sleep 300 & echo $!; wait"
    let begun = ContinuousClock.now
    let (ending, output) = try run(script, timeout: .milliseconds(500))
    #expect(ending == .timedOut && ContinuousClock.now - begun < .seconds(10))
    let child = try #require(pid_t(output.trimmingCharacters(in: .whitespacesAndNewlines)))
    try expectGone(child)
    let asked = Mutex(0)
    let (cancelled, text) = try run(script) {
      asked.withLock {
        $0 += 1
        return $0 > 20
      }
    }
    #expect(cancelled == .cancelled)
    try expectGone(try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  @Test("What a program leaves behind in its group does not outlive it, nor hold its answer up")
  func leftBehind() throws {
    let begun = ContinuousClock.now
    let (ending, output) = try run("sleep 300 & echo $!; exit 0")
    #expect(ending == .exited(0) && ContinuousClock.now - begun < .seconds(10))
    try expectGone(try #require(pid_t(output.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  @Test(
    "Nor does what has left its group and session, with its parent or without one, and with another environment",
    arguments: [
      "setsid sleep 300 & echo $!", "(setsid sleep 300 & echo $!)",
      "setsid sh -c 'sleep 300 & echo $!; wait' &", "setsid env -i sleep 300 & echo $!",
      // One that starts another one again and again, each in a session of its own.
      "setsid sh -c 'for i in $(seq 500); do setsid sleep 300 & sleep 0.01; done' & echo $!",
    ])
  func escaped(command: String) throws {
    let begun = ContinuousClock.now
    let (ending, output) = try run("\(command)\nsleep 300", timeout: .seconds(2))
    #expect(ending == .timedOut && ContinuousClock.now - begun < .seconds(10))
    try expectGone(try #require(pid_t(output.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  @Test("What a program has sent off on its own before it ended by itself goes on")
  func sentOff() throws {
    let (ending, output) = try run("setsid sleep 300 > /dev/null 2>&1 & echo $!; sleep 0.3; exit 0")
    let pid = try #require(pid_t(output.trimmingCharacters(in: .whitespacesAndNewlines)))
    defer { kill(pid, SIGKILL) }
    #expect(ending == .exited(0) && kill(pid, 0) == 0)
  }

  @Test("A program that joins another group than its own is ended all the same")
  func otherGroup() throws {
    let begun = ContinuousClock.now
    let (ending, _) = try run(
      "exec python3 -c 'import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(300)'",
      timeout: .seconds(2))
    #expect(ending == .timedOut && ContinuousClock.now - begun < .seconds(10))
  }

  @Test("What another program has started, and runs yet, is left alone")
  func others() throws {
    let file = NSTemporaryDirectory() + "omnid-child-\(UUID())"
    defer { try? FileManager.default.removeItem(atPath: file) }
    func escaped() -> pid_t? {
      (try? String(contentsOfFile: file, encoding: .utf8)).flatMap {
        pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    let isLeftAlone = Mutex<Bool?>(nil)
    let (ending, _) = try run("setsid sleep 300 & echo $! > \(file); sleep 300") {
      guard let pid = escaped() else { return false }
      // In the midst of the first program a second one runs to its end.
      let second = try? self.run("setsid sleep 300 & sleep 300", timeout: .seconds(1)).ending
      isLeftAlone.withLock { $0 = second == .timedOut && kill(pid, 0) == 0 }
      return true
    }
    #expect(ending == .cancelled && isLeftAlone.withLock { $0 } == true)
    try expectGone(try #require(escaped()))
  }

  @Test("It has nothing of this process but what it is given")
  func bare() throws {
    let inherited = open("/dev/null", O_RDONLY)
    let kept = fcntl(inherited, F_DUPFD, 50)
    defer {
      close(inherited)
      close(kept)
    }
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGUSR2)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    defer { pthread_sigmask(SIG_UNBLOCK, &signals, nil) }
    let (_, output) = try run(
      "env | sort; pwd; ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status")
    let lines = output.split(separator: "\n").map(String.init)
    #expect(lines.contains("A=b") && lines.contains("/"))
    #expect(!lines.contains("50") && !lines.contains { $0.hasPrefix("HOME=") })
    #expect(lines.contains("SigBlk:\t0000000000000000"), "\(output)")
    #expect(
      lines.contains { $0 == "SigIgn:\t0000000000000000" || $0 == "SigIgn:\t0000000180000000" },
      "\(output)")
  }

  @Test("What cannot be started is told")
  func missing() {
    #expect(throws: DaemonError.self) {
      try ChildProcess.run(
        "/nonexistent/program", environment: [], input: [], timeout: .seconds(1), outputLimit: 10)
    }
  }

  private func expectGone(_ pid: pid_t) throws {
    for _ in 0..<500 {
      // An orphan that was killed is a zombie until the first process has waited for it.
      let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      if status == nil || status?.contains(") Z ") == true { return }
      usleep(10_000)
    }
    Issue.record("\(pid) lives on")
  }
}
