import Orchestrator
import ProtoCodec
import Schema

extension Journal.StaleTrust {
  init(_ stale: Orchestrator.StaleTrust) {
    self.init()
    component = Journal.Component(stale.component)
    rotation = stale.rotation
    changedBy = Timestamp(stale.changedBy)
    countedAt = stale.countedAt.map { Timestamp($0) }
    guard let count = stale.count else { return }
    isCounted = true
    total = UInt64(clamping: count.total)
    holders = count.holders.map { holder in
      var entry = Journal.StaleHolder()
      entry.kind = holder.kind.rawValue
      entry.namespace = holder.namespace
      entry.owner = holder.owner
      entry.count = UInt64(clamping: holder.count)
      return entry
    }
  }

  func staleTrust() throws(StoreError) -> Orchestrator.StaleTrust {
    var shown: [Orchestrator.StaleHolder] = []
    for holder in holders {
      guard let kind = Orchestrator.StaleHolder.Kind(rawValue: holder.kind) else {
        throw .unreadable("stale trust \(holder.kind)")
      }
      shown.append(
        Orchestrator.StaleHolder(
          kind, namespace: holder.namespace, owner: holder.owner,
          count: Int(clamping: holder.count)))
    }
    return Orchestrator.StaleTrust(
      component: try component.component(), rotation: rotation,
      changedBy: try changedBy.required("changed_by").instant,
      count: isCounted ? StaleTrustCount(total: Int(clamping: total), holders: shown) : nil,
      countedAt: countedAt?.instant)
  }
}
