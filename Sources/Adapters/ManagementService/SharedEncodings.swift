import Orchestrator
import RPC
import Schema
import Synchronization

/// The newest update of each cluster as bytes, so that it is encoded once however many watch.
///
/// Holds one message per cluster while anybody watches, and nothing otherwise.
final class SharedEncodings: Sendable {
  typealias Update = EncodedMessage<WatchRotationStatusResponse>

  private struct Entry {
    var snapshot: RotationSnapshot
    var update: Update
  }

  private struct State {
    var watches = 0
    var newest: [String: Entry] = [:]
    var encodings = 0
  }

  private let state = Mutex(State())

  func watchBegan() { state.withLock { $0.watches += 1 } }

  func watchEnded() {
    state.withLock { state in
      state.watches -= 1
      if state.watches == 0 { state.newest = [:] }
    }
  }

  /// The update that shows this snapshot. Encodes under the lock: who comes second finds it done.
  func encoded(_ snapshot: RotationSnapshot) throws -> Update {
    try state.withLock { state in
      let known = state.newest[snapshot.cluster]
      // Equal revisions are not enough: an outage changes what is said of one. Comparing is cheap,
      // since equal snapshots share their machines.
      if let known, known.snapshot == snapshot { return known.update }
      var response = WatchRotationStatusResponse()
      response.status = RotationStatus(snapshot)
      let update = try Update(
        response, codec: ManagementServiceMethods.watchRotationStatus.response)
      state.encodings += 1
      if snapshot.revision >= known?.snapshot.revision ?? 0 {
        state.newest[snapshot.cluster] = Entry(snapshot: snapshot, update: update)
      }
      return update
    }
  }

  /// Messages that are kept now.
  var count: Int { state.withLock { $0.newest.count } }

  /// How often anything has been encoded.
  var encodings: Int { state.withLock { $0.encodings } }
}
