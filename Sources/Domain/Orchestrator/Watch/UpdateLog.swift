/// The present state of each cluster, and the updates that came last.
///
/// Whoever has seen everything up to a position is brought up to date by the updates after it, as long as they are
/// kept, or by the present state of each cluster that has changed since.
struct UpdateLog {
  /// That of the newest update.
  private(set) var position: UInt64 = 0
  private var current: [String: RotationUpdate] = [:]
  /// The current updates, by position, and among them some that are not current any more.
  private var order: [RotationUpdate] = []
  /// The last updates, by position.
  private var recent: ArraySlice<RotationUpdate> = []
  /// Updates up to here are not in `recent` any more.
  private var forgotten: UInt64 = 0
  private let limit: Int

  /// - Parameter limit: how many updates are kept beside the current ones.
  init(limit: Int) { self.limit = limit }

  subscript(cluster: String) -> RotationUpdate? { current[cluster] }

  /// Takes a newer state of a cluster. One that is not newer than the known one is only put in its place: it was
  /// read again.
  ///
  /// - Returns: the update, if there is something new.
  mutating func publish(
    _ snapshot: RotationSnapshot, changed: Set<String>? = nil
  ) -> RotationUpdate? {
    if let known = current[snapshot.cluster], snapshot.revision <= known.snapshot.revision {
      let same = RotationUpdate(position: known.position, snapshot: snapshot)
      current[snapshot.cluster] = same
      if let index = firstIndex(after: known.position - 1) { order[index] = same }
      return nil
    }
    position = max(position + 1, snapshot.revision)
    let update = RotationUpdate(
      position: position, snapshot: snapshot,
      previous: current[snapshot.cluster]?.position ?? 0, changed: changed)
    current[snapshot.cluster] = update
    order.append(update)
    recent.append(update)
    if recent.count > limit { forgotten = recent.removeFirst().position }
    if order.count > 2 * current.count + limit { order = order.filter(isCurrent) }
    return update
  }

  /// Forgets a cluster.
  mutating func remove(_ cluster: String) {
    current[cluster] = nil
    recent = recent.filter { $0.snapshot.cluster != cluster }[...]
  }

  private func isCurrent(_ update: RotationUpdate) -> Bool {
    current[update.snapshot.cluster] === update
  }

  /// The present state of every cluster, or of one, that has changed since `position`, the oldest change first.
  func changed(after position: UInt64, cluster: String?, limit: Int = .max) -> [RotationUpdate] {
    if let cluster {
      return current[cluster].map { $0.position > position && limit > 0 ? [$0] : [] } ?? []
    }
    guard let start = firstIndex(after: position) else { return [] }
    return Array(order[start...].lazy.filter(isCurrent).prefix(limit))
  }

  /// The update that comes next for a reader that has seen everything up to `position`.
  ///
  /// - Parameter start: where the reader began: of what came before, only the present state counts.
  func next(after position: UInt64, cluster: String?, start: UInt64) -> RotationUpdate? {
    if position < max(start, forgotten) {
      return changed(after: position, cluster: cluster, limit: 1).first
    }
    let newer = recent.reversed().prefix { $0.position > position }
    return newer.last { cluster == nil || $0.snapshot.cluster == cluster }
  }

  /// The first in `order` whose position is greater.
  private func firstIndex(after position: UInt64) -> Int? {
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if order[middle].position <= position { low = middle + 1 } else { high = middle }
    }
    return low < order.count ? low : nil
  }
}
