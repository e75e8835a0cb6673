import Glibc
import Reactor
import Synchronization
import Testing

@Suite struct EndedLoopTests {
  private final class Loops: Sendable {
    let ended: [EventLoop]
    let identities = Mutex<[UInt]>([])
    init(_ count: Int) throws { ended = try (0..<count).map { _ in try EventLoop() } }
  }

  @Test("A thread that gets the identity of an ended loop's is not taken for the loop")
  func threadOfAnEndedLoop() async throws {
    let loops = try Loops(8)
    for loop in loops.ended {
      await withCheckedContinuation { continuation in
        loop.run {
          loops.identities.withLock { $0.append(UInt(pthread_self())) }
          continuation.resume()
        }
      }
    }
    for loop in loops.ended { loop.stop() }
    // Threads get the stacks, and with them the identities, of threads that have ended.
    var loopOfThread: EventLoop?
    for _ in 0..<200 where loopOfThread == nil {
      loopOfThread = await withCheckedContinuation { continuation in
        let start = {
          try DetachedThread.start {
            let mine = UInt(pthread_self())
            let index = loops.identities.withLock { $0.firstIndex(of: mine) }
            let loop = index.map { loops.ended[$0] }
            if let loop {
              #expect(!loop.isCurrent)
              // A handler's task that goes on after its server is gone.
              Task(executorPreference: loop) { continuation.resume(returning: loop) }
            } else {
              continuation.resume(returning: nil)
            }
          }
        }
        do { try start() } catch { continuation.resume(returning: nil) }
      }
      if loopOfThread == nil { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(loopOfThread != nil, "no thread got the identity of an ended one")
  }
}
