internal import Glibc
internal import Synchronization

/// Several loops; connections are dealt out to them in turn.
public final class EventLoopGroup: Sendable {
  public let loops: [EventLoop]
  private let next = Atomic(0)

  /// - Parameter count: how many loops; by default one for each processor.
  public init(count: Int = 0) throws(SystemError) {
    var loops: [EventLoop] = []
    let wanted = count > 0 ? count : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    for _ in 0..<wanted { loops.append(try EventLoop()) }
    self.loops = loops
  }

  public func nextLoop() -> EventLoop {
    loops[next.add(1, ordering: .relaxed).oldValue % loops.count]
  }

  /// Ends the loops' threads. Close everything that lives on them first.
  public func stop() {
    for loop in loops { loop.stop() }
  }
}
