import Orchestrator
import RPC
import Schema
import Synchronization

/// Rotation watches: one broadcast for all watches of the same kind, and each update encoded once for all of them.
///
/// What is current, and who may resume from where, the orchestrator knows: the feed is told of each change once, and
/// asks for what is current on behalf of a watch that begins or falls behind.
final class RotationFeed: RotationObserver {
  typealias Update = EncodedMessage<WatchRotationStatusResponse>
  typealias Updates = Broadcast<WatchRotationStatusResponse>

  /// What a watch is of: watches of the same kind are shown the same and end together.
  struct Kind: Hashable {
    /// Nil: all clusters.
    var cluster: String?
    var stopsWhenIdle: Bool
    /// Whether only the machines that have changed are shown of a cluster that was shown whole before.
    var changesOnly = false
  }

  /// The watches of a kind that have not ended.
  final class Channel: Sendable {
    let kind: Kind
    let updates: Updates

    init(_ kind: Kind, _ updates: Updates) {
      self.kind = kind
      self.updates = updates
    }
  }

  fileprivate struct State {
    /// The channels that go on, and how many watches each has.
    var channels: [Kind: (channel: Channel, watches: Int)] = [:]
    /// Watches of all channels, also of those that have ended.
    var watches = 0
    /// The newest update of a cluster as bytes, as far as anybody has needed it; empty while nobody watches.
    var encoded: [String: (update: RotationUpdate, bytes: Update)] = [:]
    var encodings = 0
  }

  private let state = Mutex(State())

  /// Updates that may wait for a watch before only the newest of each cluster counts: whole statuses, and changes.
  private static let kept = (whole: 16, changes: 64)

  // MARK: - Watches

  /// Begins a watch; `leave` ends it.
  func join(
    _ kind: Kind, afterRevision: Revision, of orchestrator: RotationOrchestrator
  ) throws(OrchestratorError) -> Channel {
    try orchestrator.beginWatch(
      cluster: kind.cluster, afterRevision: afterRevision, stopWhenIdle: kind.stopsWhenIdle
    ) { start in
      state.withLock { state in
        state.watches += 1
        if start.ending == nil, let known = state.channels[kind] {
          state.channels[kind] = (known.channel, known.watches + 1)
          return known.channel
        }
        let channel = Channel(kind, updates(kind, start.newest, of: orchestrator))
        switch start.ending {
        case nil: state.channels[kind] = (channel, 1)
        case .idle: channel.updates.finish()
        case .failed(let error): channel.updates.finish(throwing: RPCError(error))
        }
        return channel
      }
    }
  }

  func leave(_ channel: Channel) {
    state.withLock { state in
      state.watches -= 1
      if state.watches == 0 { state.encoded = [:] }
      guard let known = state.channels[channel.kind], known.channel === channel else { return }
      state.channels[channel.kind] = known.watches > 1 ? (channel, known.watches - 1) : nil
    }
  }

  private func updates(
    _ kind: Kind, _ newest: UInt64, of orchestrator: RotationOrchestrator
  ) -> Updates {
    Updates(
      codec: ManagementServiceMethods.watchRotationStatus.response,
      kept: kind.changesOnly ? Self.kept.changes : Self.kept.whole, version: newest,
      // Whole statuses may be large: one that is late is worth nothing beside a newer one.
      skips: !kind.changesOnly
    ) { position, limit in
      try orchestrator.changed(after: position, cluster: kind.cluster, limit: limit)
        .map { ($0.position, try self.encoded($0)) }
    }
  }

  /// The update as bytes. Encodes under the lock: whoever comes second finds it done.
  func encoded(_ update: RotationUpdate) throws -> Update {
    try state.withLock { state in try state.encoded(update) }
  }

  /// How many watch.
  var watches: Int { state.withLock { $0.watches } }

  /// Updates that are kept as bytes now.
  var count: Int { state.withLock { $0.encoded.count } }

  /// How often anything has been encoded.
  var encodings: Int { state.withLock { $0.encodings } }

  // MARK: - What happens

  func published(_ update: RotationUpdate, isAnyRunning: Bool) {
    let cluster = update.snapshot.cluster
    state.withLock { state in
      let channels = state.channels(concerning: cluster)
      guard !channels.isEmpty else {
        state.encoded[cluster] = nil
        return
      }
      do {
        var change: Update?
        for channel in channels {
          let shown: Update
          if channel.kind.changesOnly, let changed = update.changed {
            shown = try change ?? Update(changed, of: update.snapshot)
            change = shown
          } else {
            shown = try state.encoded(update)
          }
          channel.updates.send(shown, at: update.position)
        }
      } catch {
        for channel in channels { state.end(channel, .internalFault) }
      }
      if update.snapshot.isIdle { state.endIdle(cluster, isAnyRunning: isAnyRunning) }
    }
  }

  func removed(cluster: String, _ error: OrchestratorError, isAnyRunning: Bool) {
    state.withLock { state in
      state.encoded[cluster] = nil
      for channel in state.channels(concerning: cluster) where channel.kind.cluster != nil {
        state.end(channel, RPCError(error))
      }
      state.endIdle(cluster, isAnyRunning: isAnyRunning)
    }
  }

  func failed(cluster: String, _ error: OrchestratorError) {
    state.withLock { state in
      for channel in state.channels(concerning: cluster) { state.end(channel, RPCError(error)) }
    }
  }

  func closed(_ error: OrchestratorError) {
    state.withLock { state in
      for (channel, _) in state.channels.values { state.end(channel, RPCError(error)) }
    }
  }
}

extension RotationFeed.State {
  fileprivate func channels(concerning cluster: String) -> [RotationFeed.Channel] {
    guard !channels.isEmpty else { return [] }
    var found: [RotationFeed.Channel] = []
    for name in [cluster, nil] {
      for stopsWhenIdle in [false, true] {
        for changesOnly in [false, true] {
          let kind = RotationFeed.Kind(
            cluster: name, stopsWhenIdle: stopsWhenIdle, changesOnly: changesOnly)
          if let channel = channels[kind]?.channel { found.append(channel) }
        }
      }
    }
    return found
  }

  /// Watches that follow the channel get what was sent before; whoever comes later gets another one.
  fileprivate mutating func end(_ channel: RotationFeed.Channel, _ error: RPCError?) {
    channel.updates.finish(throwing: error)
    channels[channel.kind] = nil
  }

  /// Ends the watches that were to stop now that nothing is under way in the cluster.
  fileprivate mutating func endIdle(_ cluster: String, isAnyRunning: Bool) {
    for channel in channels(concerning: cluster) where channel.kind.stopsWhenIdle {
      if channel.kind.cluster != nil || !isAnyRunning { end(channel, nil) }
    }
  }

  fileprivate mutating func encoded(_ update: RotationUpdate) throws -> RotationFeed.Update {
    let cluster = update.snapshot.cluster
    let known = encoded[cluster]
    if let known, known.update === update { return known.bytes }
    let bytes = try RotationFeed.Update(update.snapshot)
    encodings += 1
    if update.position >= known?.update.position ?? 0 { encoded[cluster] = (update, bytes) }
    return bytes
  }
}

extension EncodedMessage<WatchRotationStatusResponse> {
  /// A cluster's whole status.
  fileprivate init(_ snapshot: RotationSnapshot) throws {
    var response = WatchRotationStatusResponse()
    response.status = RotationStatus(snapshot)
    try self.init(response, codec: ManagementServiceMethods.watchRotationStatus.response)
  }

  /// What has changed of the status that was sent before.
  fileprivate init(_ changed: Set<String>, of snapshot: RotationSnapshot) throws {
    var response = WatchRotationStatusResponse()
    response.status = RotationStatus(snapshot, changed: changed)
    response.machinesChangedOnly = true
    try self.init(response, codec: ManagementServiceMethods.watchRotationStatus.response)
  }
}
