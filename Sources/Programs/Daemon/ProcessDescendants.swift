internal import CProcess
internal import Glibc

/// What a program has started, wherever that has gone: also what has left its process group and session, and what belongs to
/// the first process since its parent has ended.
///
/// A process is the program's when the environment that it began with has the program's mark, or when a process is above it
/// that is the program's. What has thrown its environment away after its parents have ended, and what belongs to
/// another user, is not found.
struct ProcessDescendants {
  /// The variable that marks.
  static let variable = "OMNID_RUN"

  /// The program itself; a zombie at the end, so that nobody else has its number.
  let leader: pid_t
  /// As it stands in the environment.
  let mark: [UInt8]

  /// A mark for a program that is about to be run: no other one has had it.
  static func newMark() -> String {
    let number = (0..<2).map { _ in String(UInt64.random(in: 0 ... .max), radix: 16) }
    return "\(variable)=\(number.joined(separator: "-"))"
  }

  private struct Entry {
    var parent: pid_t
    /// When it began: tells it from a later process with its number.
    var startedAt: UInt64
    var isZombie: Bool
  }

  /// A process that was found.
  struct Found {
    var pid: pid_t
    /// When it began: tells it from a later process with its number.
    var startedAt: UInt64
  }

  /// Kills them all. What is being killed may start another process: it is looked until nobody is found, at most
  /// a hundred times and for two seconds.
  func kill() {
    let end = ContinuousClock.now + .seconds(2)
    for _ in 0..<100 {
      let found = living
      guard !found.isEmpty, ContinuousClock.now < end else { return }
      Self.kill(found)
      usleep(1000)
    }
  }

  /// Kills those that are still the processes that they were. A number alone could be another process' by now.
  static func kill(_ found: [Found]) {
    for process in found {
      let descriptor = cprocess_open_process(process.pid)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      guard entry(process.pid)?.startedAt == process.startedAt else { continue }
      _ = cprocess_kill(descriptor)
    }
  }

  /// Those that live, the oldest first: a shell that sees its child killed says so.
  var living: [Found] {
    // What began before the program is not the program's.
    guard let begun = Self.entry(leader)?.startedAt else { return [] }
    let names = (try? PrivateFiles.names(in: "/proc")) ?? []
    var entries: [pid_t: Entry] = [:]
    for pid in names.compactMap({ pid_t($0) }) {
      if let entry = Self.entry(pid), entry.startedAt >= begun { entries[pid] = entry }
    }
    var isOurs: [pid_t: Bool] = [leader: true, getpid(): false, 1: false, 0: false]
    for pid in entries.keys {
      // From the process up to one that is known, or that nobody is above.
      var path: [pid_t] = []
      var next = pid
      while isOurs[next] == nil, let entry = entries[next], path.count < 1000 {
        path.append(next)
        if isMarked(next) {
          isOurs[next] = true
        } else if let parent = entries[entry.parent], parent.startedAt > entry.startedAt {
          // The parent has ended, and its number is another process's by now.
          break
        } else {
          next = entry.parent
        }
      }
      let verdict = isOurs[next] ?? false
      for pid in path { isOurs[pid] = verdict }
    }
    return entries.filter { pid, entry in
      pid != leader && isOurs[pid] == true && !entry.isZombie
    }.map { Found(pid: $0, startedAt: $1.startedAt) }
      .sorted { ($0.startedAt, $0.pid) < ($1.startedAt, $1.pid) }
  }

  private func isMarked(_ pid: pid_t) -> Bool {
    guard let environment = try? PrivateFiles.read("/proc/\(pid)/environ", limit: 4 << 20) else {
      return false
    }
    return environment.split(separator: 0).contains { $0.elementsEqual(mark) }
  }

  /// What the kernel says of a process (proc(5), /proc/PID/stat); nil where there is none.
  private static func entry(_ pid: pid_t) -> Entry? {
    // The name of the program is in brackets, and may have brackets and spaces itself.
    guard let bytes = try? PrivateFiles.read("/proc/\(pid)/stat"),
      let end = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard fields.count > 19, let parent = pid_t(fields[1]), let startedAt = UInt64(fields[19])
    else {
      return nil
    }
    return Entry(
      parent: parent, startedAt: startedAt, isZombie: fields[0] == "Z" || fields[0] == "X")
  }
}
