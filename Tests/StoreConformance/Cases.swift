import Orchestrator
import Rotation

// The cases; `StoreConformance.cases` names them.

extension StoreConformance {
  /// A new store is empty, at revision 0.
  static func empty(_ subject: Subject) async throws {
    try await expect(
      subject.store.load() == StoreContents(revision: 0, clusters: [], rotations: []))
    try await expect(subject.store.cluster("demo") == nil)
    try await expect(subject.store.rotation("r1") == nil)
    try await expect(subject.store.request("q", cluster: "demo") == nil)
    try await expect(subject.store.rotations(cluster: "demo", before: nil, limit: 5) == [])
  }

  /// Every record comes back as it was, also after the process was killed.
  static func roundTrip(_ subject: Subject) async throws {
    var expected: [RotationRecord] = []
    for (index, state) in (Sample.states + Sample.newerStates).enumerated() {
      var rotation = Sample.rotation("r\(index + 1)", ordinal: UInt64(index + 1), state: state)
      rotation.options.soak = [nil, .lasting(.milliseconds(1_500)), .untilContinued][index % 3]
      rotation.options.workerLimit = [nil, 3][index % 2]
      rotation.options.acknowledgeOwner = index % 2 == 1
      rotation.cause =
        index == 0 ? nil : RotationCause.allCases[index % RotationCause.allCases.count]
      rotation.call = ["", "5e71c0de5e71c0de"][index % 2]
      if state.isFinal { rotation.finishedAt = Sample.instant }
      rotation.revision = try await subject.store.commit([.putRotation(rotation, expected: 0)])
      expected.append(rotation)
    }
    var cluster = Sample.cluster("demo", count: 3)
    cluster.isListed = true
    cluster.locks = Locks(
      cluster: Lock(requester: "uid:0", lockedAt: Sample.instant, reason: "change window"),
      machines: ["w-1": Lock(requester: "", lockedAt: Sample.instant, reason: "")])
    cluster.returned = [
      ReturnedAuthority(
        machine: "w-1", component: .kubernetesCA, fingerprint: "old", since: Sample.instant)
    ]
    cluster.staleTrust = [
      StaleTrust(
        component: .kubernetesCA, rotation: "r1", changedBy: Sample.instant,
        count: StaleTrustCount(
          total: 3,
          holders: [StaleHolder(.talosClient, namespace: "kube-system", owner: "pod/a", count: 2)]),
        countedAt: Sample.instant),
      StaleTrust(component: .talosCA, rotation: "r2", changedBy: Sample.instant),
    ]
    cluster.credentials = HeldCredentials(
      [
        HeldCredential(
          component: .talosCA, authority: "old", holder: "uid:0",
          roles: ["os:admin", "os:etcd:backup"],
          serial: "0a", issuedAt: Sample.instant,
          expiresAt: Sample.instant.advanced(by: .seconds(60)))
      ],
      unlisted: [HeldCredentials.Unlisted(authority: "older", count: 7, endBy: Sample.instant)])
    cluster.marks = [
      ClusterMark(.importing, since: Sample.instant, pending: [.talosCA, .kubernetesCA]),
      ClusterMark(.leakedSecrets, since: Sample.instant, pending: []),
    ]
    cluster.revision = try await subject.store.commit([
      .putCluster(cluster, expected: 0), .putRequest(Sample.request("q")),
    ])
    for store in [subject.store, try subject.afterKill()] {
      for rotation in expected { try await expect(store.rotation(rotation.id) == rotation) }
      try await expect(
        store.rotations(cluster: "demo", before: nil, limit: 100)
          == expected.reversed())
      try await expect(store.cluster("demo") == cluster)
      try await expect(store.request("q", cluster: "demo") == Sample.request("q"))
      try await expect(
        store.load()
          == StoreContents(
            revision: cluster.revision, clusters: [cluster], rotations: [expected.last!]))
    }
  }

  /// Revisions rise with every commit, whatever it changes, and never begin anew.
  static func revisions(_ subject: Subject) async throws {
    var last: Revision = 0
    func commit(_ changes: [StoreChange], in store: any RotationStore) async throws {
      let revision = try await store.commit(changes)
      try expect(revision > last)
      last = revision
    }
    try await commit([.putCluster(Sample.cluster("a"), expected: 0)], in: subject.store)
    try await commit(
      [.removeCluster("a", expected: last)], in: subject.store)
    try await commit([.putRequest(Sample.request("q"))], in: subject.store)
    try await commit([.pruneRotations(cluster: "a", before: 9)], in: subject.store)
    try await commit([.putCluster(Sample.cluster("a"), expected: 0)], in: subject.afterKill())
    try await expect(subject.afterKill().load().revision == last)
  }

  /// A record is only replaced at the revision it has.
  static func compareAndSwap(_ subject: Subject) async throws {
    let store = subject.store
    let first = try await store.commit([
      .putCluster(Sample.cluster("demo"), expected: 0),
      .putRotation(Sample.rotation("r1"), expected: 0),
    ])
    for expected in [0, first + 1, first - 1, .max] as [Revision] {
      try await expectConflict(
        store, [.putCluster(Sample.cluster("demo", count: 1), expected: expected)], "cluster")
      try await expectConflict(
        store, [.putRotation(Sample.rotation("r1"), expected: expected)], "rotation")
      try await expectConflict(
        store, [.removeCluster("demo", expected: expected)], "removal")
    }
    try await expectConflict(
      store, [.putCluster(Sample.cluster("other"), expected: first)], "there is none")
    let second = try await store.commit([
      .putCluster(Sample.cluster("demo", count: 1), expected: first)
    ])
    try await expect(store.cluster("demo")?.revision == second)
    try await expect(store.rotation("r1")?.revision == first)
  }

  /// One failed expectation undoes the whole commit.
  static func atomicity(_ subject: Subject) async throws {
    let store = subject.store
    _ = try await store.commit([
      .putCluster(Sample.cluster("demo"), expected: 0), .putRequest(Sample.request("q")),
    ])
    try await expectConflict(
      store,
      [
        .putCluster(Sample.cluster("new"), expected: 0),
        .putRotation(Sample.rotation("r1"), expected: 0), .putRequest(Sample.request("q2")),
        .putCluster(Sample.cluster("demo"), expected: 99),
      ], "late")
    try await expectConflict(
      store,
      [.putRotation(Sample.rotation("r1"), expected: 0), .putRequest(Sample.request("q"))],
      "answered before")
  }

  /// A step in which only some machines have changed comes back whole, also after the process was killed.
  static func steps(_ subject: Subject) async throws {
    var rotation = Sample.rotation("r1")
    rotation.revision = try await subject.store.commit([.putRotation(rotation, expected: 0)])
    func put(_ machines: Set<String>?, in store: any RotationStore) async throws {
      rotation.revision = try await store.commit([
        .putRotation(rotation, expected: rotation.revision, machines: machines)
      ])
      for store in [store, try subject.afterKill()] {
        try await expect(store.rotation("r1") == rotation)
        try await expect(store.load().rotations == [rotation])
      }
    }
    guard var stage = Sample.states.lazy.compactMap(\.stage).first else { return }
    rotation.state = .rolling(stage)
    try await put(nil, in: subject.store)
    for index in stage.machines.indices {
      stage.machines[index].state = .verifying(Sample.effort)
      stage.machines[index].touched = true
      rotation.state = .rolling(stage)
      rotation.updatedAt = Sample.instant.advanced(by: .seconds(index + 2))
      rotation.notes.append("\(index)")
      rotation.elapsed = .seconds(index)
      try await put([stage.machines[index].machine.id], in: subject.afterKill())
    }
    rotation.state = .gating(stage, Gate())
    try await put([], in: subject.store)
    // Another stage, with one machine less and one more.
    stage.phase = .rotate
    stage.machines.removeFirst()
    stage.machines.append(
      MachineProgress(machine: Machine(id: "z", address: "10.0.0.9", role: .worker)))
    rotation.state = .rolling(stage)
    try await put(nil, in: subject.store)
    try await expectConflict(
      subject.store, [.putRotation(rotation, expected: 1, machines: ["z"])], "an old revision")
    rotation.state = .succeeded(stage)
    rotation.finishedAt = Sample.instant
    try await put(["z"], in: subject.store)
  }

  /// A cluster has one rotation of each ordinal.
  static func ordinals(_ subject: Subject) async throws {
    _ = try await subject.store.commit([.putRotation(Sample.rotation("r1"), expected: 0)])
    try await expectConflict(
      subject.store, [.putRotation(Sample.rotation("twin"), expected: 0)], "same ordinal")
  }

  /// The history is read newest first, page by page, each cluster by itself.
  static func history(_ subject: Subject) async throws {
    let store = subject.store
    for ordinal in 1...7 as ClosedRange<UInt64> {
      for name in ["a", "b"] {
        _ = try await store.commit([
          .putRotation(
            Sample.rotation("\(name)\(ordinal)", cluster: name, ordinal: ordinal), expected: 0)
        ])
      }
    }
    func ids(_ before: UInt64?, _ limit: Int) async throws -> [String] {
      try await store.rotations(cluster: "a", before: before, limit: limit).map(\.id)
    }
    try await expect(ids(nil, 3) == ["a7", "a6", "a5"])
    try await expect(ids(5, 3) == ["a4", "a3", "a2"])
    try await expect(ids(2, 3) == ["a1"])
    try await expect(ids(1, 3) == [])
    try await expect(ids(.max, 1) == ["a7"])
    try await expect(ids(nil, 0) == [])
    try await expect(store.load().rotations.map(\.id) == ["a7", "b7"])
  }

  /// Clusters are read page by page in the order of their names.
  static func pages(_ subject: Subject) async throws {
    let names = ["a", "a-b", "a0", "ab", "b", "z"]
    var expected: [ClusterRecord] = []
    for name in names.reversed() {
      var cluster = Sample.cluster(name, count: 2)
      cluster.revision = try await subject.store.commit([.putCluster(cluster, expected: 0)])
      expected.insert(cluster, at: 0)
    }
    for store in [subject.store, try subject.afterKill()] {
      try await expect(store.clusters(after: nil, limit: 2) == Array(expected[..<2]))
      try await expect(store.clusters(after: "a-b", limit: 3) == Array(expected[2..<5]))
      // Also after a name that no cluster bears.
      try await expect(store.clusters(after: "aa", limit: 9) == Array(expected[3...]))
      try await expect(store.clusters(after: "z", limit: 9) == [])
      try await expect(store.clusters(after: nil, limit: 0) == [])
      try await expect(store.clusters(after: nil, limit: .max) == expected)
    }
    _ = try await subject.store.commit([.removeCluster("a0", expected: expected[2].revision)])
    try await expect(
      subject.store.clusters(after: "a", limit: 2).map(\.name) == ["a-b", "ab"])
  }

  /// Of each rotation so many answers are kept and no more.
  static func answers(_ subject: Subject) async throws {
    let store = subject.store
    _ = try await store.commit(
      (1...RequestRecord.limit).map { .putRequest(Sample.request("q\($0)", cluster: "a")) })
    try await expect(store.requestCount(cluster: "a", ordinal: 1) == RequestRecord.limit)
    let before = try await store.load()
    var refusal: StoreError?
    do throws(StoreError) {
      _ = try await store.commit([
        .putCluster(Sample.cluster("a"), expected: 0),
        .putRequest(Sample.request("more", cluster: "a")),
      ])
    } catch { refusal = error }
    try expect(refusal?.code == .exhausted, refusal?.message ?? "one more was kept")
    try await expect(store.load() == before)
    // Neither another cluster's nor another rotation's count.
    _ = try await store.commit([
      .putRequest(Sample.request("q1", cluster: "b")),
      .putRequest(Sample.request("later", cluster: "a", ordinal: 2)),
    ])
    try await expect(store.requestCount(cluster: "a", ordinal: 2) == 1)
    try await expect(
      subject.afterKill().requestCount(cluster: "a", ordinal: 1) == RequestRecord.limit)
    _ = try await store.commit([.pruneRotations(cluster: "a", before: 2)])
    try await expect(store.requestCount(cluster: "a", ordinal: 1) == 0)
  }

  /// Pruning and removing take rotations and answers along, and nobody else's.
  static func removal(_ subject: Subject) async throws {
    let store = subject.store
    var revision: Revision = 0
    for name in ["a", "b"] {
      revision = try await store.commit([.putCluster(Sample.cluster(name), expected: 0)])
      for ordinal in 1...3 as ClosedRange<UInt64> {
        _ = try await store.commit([
          .putRotation(
            Sample.rotation("\(name)\(ordinal)", cluster: name, ordinal: ordinal), expected: 0),
          .putRequest(Sample.request("q\(ordinal)", cluster: name, ordinal: ordinal)),
        ])
      }
    }
    _ = try await store.commit([.pruneRotations(cluster: "b", before: 3)])
    try await expect(store.rotations(cluster: "b", before: nil, limit: 9).map(\.id) == ["b3"])
    try await expect(store.request("q2", cluster: "b") == nil)
    try await expect(store.request("q3", cluster: "b") != nil)
    try await expect(store.rotation("a1") != nil)
    _ = try await store.commit([.removeCluster("b", expected: revision)])
    try await expect(store.load().clusters.map(\.name) == ["a"])
    try await expect(store.rotation("b3") == nil)
    try await expect(store.request("q3", cluster: "b") == nil)
    try await expect(store.request("q1", cluster: "a") != nil)
  }

  /// Of many who write at once each is told whether it was first, and nothing is lost.
  static func concurrentWriters(_ subject: Subject) async throws {
    let stores = [subject.store, try subject.afterKill()]
    _ = try await stores[0].commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    let wins = try await withThrowingTaskGroup(of: [Revision].self) { group in
      for writer in 0..<8 {
        let store = stores[writer % 2]
        group.addTask {
          var wins: [Revision] = []
          while wins.count < 10 {
            guard var cluster = try await store.cluster("demo") else { return wins }
            cluster.rotationCount += 1
            do {
              wins.append(
                try await store.commit([.putCluster(cluster, expected: cluster.revision)]))
            } catch let error as StoreError where error.code == .conflict {
              continue
            }
          }
          return wins
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    try expect(wins.count == 80)
    try expect(Set(wins).count == 80)
    try await expect(stores[1].cluster("demo")?.rotationCount == 80)
  }

  /// Odd names are kept apart.
  static func names(_ subject: Subject) async throws {
    let names = ["", "a", "A", "a'; DROP TABLE clusters; --", "é", "a\u{0}b", "a\u{0}c"]
    for name in names {
      _ = try await subject.store.commit([.putCluster(Sample.cluster(name), expected: 0)])
    }
    for name in names { try await expect(subject.store.cluster(name)?.name == name) }
    try await expect(subject.store.load().clusters.count == names.count)
  }
}
