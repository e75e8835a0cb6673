import Synchronization

/// Shows that the sanitizer sees: many tasks count under a lock, and beside it if there is an argument.
/// With one a race must be reported, without none.
final class Counter: @unchecked Sendable {
  let locked = Mutex(0)
  var beside = 0

  func count(isRacing: Bool) {
    locked.withLock {
      $0 += 1
      if !isRacing { beside += 1 }
    }
    if isRacing { beside += 1 }
  }
}

@main struct Control {
  static func main() async {
    let counter = Counter()
    let isRacing = CommandLine.arguments.count > 1
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { for _ in 0..<20_000 { counter.count(isRacing: isRacing) } }
      }
    }
  }
}
