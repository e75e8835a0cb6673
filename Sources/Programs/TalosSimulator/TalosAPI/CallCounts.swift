internal import Synchronization

/// How often each method of the Talos API was called, over all machines of a cluster. A call that one machine passes
/// on to another counts once.
final class CallCounts: Sendable {
  private let counts = Mutex<[String: Int]>([:])

  func add(_ path: String) { counts.withLock { $0[path, default: 0] += 1 } }

  var all: [String: Int] { counts.withLock { $0 } }
}

extension SimulatedCluster {
  /// The Talos API calls so far, by path, as in `/cosi.resource.State/Get`; those that were refused for the caller's
  /// role too, and none that a handshake kept out.
  public var calls: [String: Int] { hub.calls.all }
}
