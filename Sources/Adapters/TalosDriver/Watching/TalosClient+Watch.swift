import ProtoCodec
import RPC
import Schema

extension TalosClient {
  /// The largest message of a watch. A resource that is larger ends the watch.
  private static let watchMessageBytes = 1 << 20
  /// How many events are read of one watch, a message without any counted as one. A machine has a few of them in a stage.
  private static let watchedEvents = 512

  /// Watches resources over one connection until one of the watches ends, and tells of changes.
  ///
  /// - Parameters:
  ///   - lasting: for how long at most.
  ///   - isFromNow: whether what there is already is left out.
  func watch(
    _ targets: [WatchTarget], lasting: Duration, isFromNow: Bool, _ signal: ChangeSignal
  ) async {
    signal.opening(targets.count)
    await withTaskGroup(of: Void.self) { group in
      for target in targets {
        group.addTask { await self.watch(target, lasting: lasting, isFromNow: isFromNow, signal) }
      }
      // With one of them what is waited for may be missed.
      await group.next()
      group.cancelAll()
    }
  }

  /// Returns when the watch has ended, however it has.
  private func watch(
    _ target: WatchTarget, lasting: Duration, isFromNow: Bool, _ signal: ChangeSignal
  ) async {
    var request = Cosi.WatchRequest()
    request.namespace = target.namespace
    request.type = target.type
    request.id = target.id
    request.apiVersion = 1
    var options = CallOptions(timeout: lasting, responseMessageBytes: Self.watchMessageBytes)
    if let node { options.metadata.append("node", node) }
    try? await rpc.serverStreaming(Cosi.StateMethods.watch, request, options: options) { answers in
      var (isOpen, left) = (false, Self.watchedEvents)
      // The first event of one resource is its state.
      var isState = target.id != nil
      for try await answer in answers {
        left -= max(answer.event.count, 1)
        guard left >= 0 else { return }
        if !isOpen {
          isOpen = true
          signal.opened()
          // A watch of a whole type begins with what happens next.
          if target.id == nil, !isFromNow { signal.change(isFollowed: false) }
        }
        for event in answer.event {
          if event.eventType == .errored { return }
          let isOld = isState
          isState = false
          guard !(isOld && isFromNow), target.isReason(event) else { continue }
          signal.change(isFollowed: !isOld && target.precedes)
        }
      }
    }
  }
}
