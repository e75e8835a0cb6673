import Rotation
import Testing

@testable import Orchestrator

/// What is current, and what a reader gets that has seen everything up to a position.
@Suite("The log of updates")
struct WatchUpdateLogTests {
  private func snapshot(_ cluster: String, _ revision: Revision) -> RotationSnapshot {
    RotationSnapshot(
      cluster: ClusterRecord(
        name: cluster, endpoints: [], kubernetesEndpoint: "", authorities: [:], machines: [],
        talosVersion: "", revision: revision), rotation: nil)
  }

  private func log(_ updates: [(String, Revision)], limit: Int = 3) -> UpdateLog {
    var log = UpdateLog(limit: limit)
    for (cluster, revision) in updates { _ = log.publish(snapshot(cluster, revision)) }
    return log
  }

  private func read(_ log: UpdateLog, after position: UInt64, start: UInt64 = 0) -> [Revision] {
    var (seen, revisions) = (position, [Revision]())
    while let next = log.next(after: seen, cluster: nil, start: start) {
      revisions.append(next.snapshot.revision)
      seen = next.position
    }
    return revisions
  }

  @Test("The present states come by position, each cluster once, and only what is newer")
  func changed() {
    let log = log([("a", 1), ("b", 2), ("a", 5), ("c", 7)])
    #expect(log.changed(after: 0, cluster: nil).map(\.position) == [2, 5, 7])
    #expect(log.changed(after: 2, cluster: nil, limit: 1).map(\.snapshot.cluster) == ["a"])
    #expect(log.changed(after: 0, cluster: "a").map(\.snapshot.revision) == [5])
    #expect(log.changed(after: 5, cluster: "a").isEmpty)
    #expect(log.changed(after: 0, cluster: "d").isEmpty)
  }

  @Test("A reader that keeps up gets every update, one that does not the newest of each cluster")
  func next() {
    let log = log([("a", 1), ("a", 2), ("b", 3), ("b", 4), ("b", 5), ("b", 6)])
    #expect(read(log, after: 3) == [4, 5, 6])
    #expect(read(log, after: 1) == [2, 6])
    // Of what was there when it began only the present state counts.
    #expect(read(log, after: 3, start: 6) == [6])
  }

  @Test("What is read again at the same revision is shown anew and published to nobody")
  func readAgain() {
    var log = log([("a", 1)])
    var same = snapshot("a", 1)
    same.outage = "new"
    let again = log.publish(same)
    #expect(again == nil)
    #expect(log.changed(after: 0, cluster: nil).map(\.snapshot.error) == ["new"])
    #expect(log.position == 1)
  }

  @Test("A state that is learnt of late has a position after what was published before")
  func late() {
    var log = log([("a", 9)])
    let late = log.publish(snapshot("b", 4))
    #expect(late?.position == 10)
    #expect(read(log, after: 9) == [4])
    // The next commit's position is its revision again as soon as that is greater.
    let next = log.publish(snapshot("a", 12))
    #expect(next?.position == 12)
  }

  @Test("A forgotten cluster is not shown, and many commits leave no more than is current")
  func forgotten() {
    var log = log((1...500).map { ("abc".map(String.init)[$0 % 3], Revision($0)) })
    log.remove("b")
    #expect(log.changed(after: 0, cluster: nil).map(\.snapshot.cluster) == ["a", "c"])
    #expect(read(log, after: 0) == [498, 500])
  }
}
