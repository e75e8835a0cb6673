public import Access
import Evidence
public import Orchestrator
public import Rotation
import Synchronization

/// A journal in memory: for tests, and for whoever does not mind losing it.
///
/// Keeps every promise of `RotationStore` but that of surviving the process.
public final class MemoryStore: RotationStore {
  fileprivate struct RequestKey: Hashable {
    var cluster: String
    var id: String
  }

  fileprivate struct Contents {
    var revision: Revision = 0
    var clusters: [String: ClusterRecord] = [:]
    var rotations: [String: RotationRecord] = [:]
    var requests: [RequestKey: RequestRecord] = [:]
    var audit: [AuditEntry] = []
    var access = AccessContents()
  }

  private let contents = Mutex(Contents())

  public init() {}

  public func load() async throws(StoreError) -> StoreContents {
    contents.withLock { contents in
      let newest = Dictionary(grouping: contents.rotations.values, by: \.cluster)
        .compactMap { $0.value.max { $0.ordinal < $1.ordinal } }
      return StoreContents(
        revision: contents.revision,
        clusters: contents.clusters.values.sorted { $0.name < $1.name },
        rotations: newest.sorted { $0.cluster < $1.cluster })
    }
  }

  public func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    try contents.withLock { contents throws(StoreError) in
      var next = contents
      next.revision += 1
      for change in changes { try next.make(change) }
      contents = next
      return next.revision
    }
  }

  public func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? {
    contents.withLock { $0.clusters[name] }
  }

  public func clusters(
    after name: String?, limit: Int
  ) async throws(StoreError) -> [ClusterRecord] {
    let clusters = contents.withLock { $0.clusters }
    let names = clusters.keys.filter { Self.precedes(name ?? "", $0) }.sorted(by: Self.precedes)
    return names.prefix(max(0, limit)).compactMap { clusters[$0] }
  }

  private static func precedes(_ name: String, _ other: String) -> Bool {
    name.utf8.lexicographicallyPrecedes(other.utf8)
  }

  public func rotation(_ id: String) async throws(StoreError) -> RotationRecord? {
    contents.withLock { $0.rotations[id] }
  }

  public func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] {
    contents.withLock { contents in
      let older = contents.rotations.values.filter {
        $0.cluster == cluster && $0.ordinal < ordinal ?? .max
      }
      return Array(older.sorted { $0.ordinal > $1.ordinal }.prefix(max(0, limit)))
    }
  }

  public func request(
    _ id: String, cluster: String
  ) async throws(StoreError) -> RequestRecord? {
    contents.withLock { $0.requests[RequestKey(cluster: cluster, id: id)] }
  }

  public func requestCount(
    cluster: String, ordinal: UInt64
  ) async throws(StoreError) -> Int {
    contents.withLock { $0.requestCount(cluster: cluster, ordinal: ordinal) }
  }
}

extension MemoryStore: AuditLog {
  public func append(
    _ event: AuditEvent, at now: Instant
  ) async throws(StoreError) -> AuditEntry {
    contents.withLock { contents in
      let previous = contents.audit.last?.hash ?? []
      let index = UInt64(contents.audit.count) + 1
      var entry = AuditEntry(
        index: index, recordedAt: now, event: event, previous: previous, hash: [])
      entry.hash = AuditChain.hash(of: entry.parts, after: previous)
      contents.audit.append(entry)
      return entry
    }
  }

  public func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry] {
    contents.withLock { contents in
      Array(contents.audit.drop { $0.index <= index }.prefix(max(0, limit)))
    }
  }
}

extension MemoryStore: AccessStore {
  public func accessContents() async throws(StoreError) -> AccessContents {
    contents.withLock { $0.access }
  }

  public func commit(_ changes: [AccessChange]) async throws(StoreError) {
    contents.withLock { contents in
      for change in changes {
        switch change {
        case .putAuthority(let authority): contents.access.authority = authority
        case .putGrant(let grant):
          contents.access.grants.removeAll { $0.id == grant.id }
          contents.access.grants.append(grant)
        case .removeGrant(let id): contents.access.grants.removeAll { $0.id == id }
        }
      }
    }
  }
}

extension MemoryStore.Contents {
  fileprivate mutating func make(_ change: StoreChange) throws(StoreError) {
    switch change {
    case .putCluster(var cluster, let expected):
      try expect(expected, clusters[cluster.name]?.revision, "cluster '\(cluster.name)'")
      cluster.revision = revision
      clusters[cluster.name] = cluster
    case .removeCluster(let name, let expected):
      try expect(expected, clusters[name]?.revision, "cluster '\(name)'")
      clusters[name] = nil
      rotations = rotations.filter { $0.value.cluster != name }
      requests = requests.filter { $0.key.cluster != name }
    case .putRotation(var rotation, let expected, _):
      try expect(expected, rotations[rotation.id]?.revision, "rotation \(rotation.id)")
      let twin = rotations.values.first {
        $0.cluster == rotation.cluster && $0.ordinal == rotation.ordinal && $0.id != rotation.id
      }
      if let twin {
        throw StoreError(.conflict, "\(twin.id) is rotation \(twin.ordinal) of its cluster already")
      }
      rotation.revision = revision
      rotations[rotation.id] = rotation
    case .pruneRotations(let cluster, let ordinal):
      rotations = rotations.filter { $0.value.cluster != cluster || $0.value.ordinal >= ordinal }
      requests = requests.filter { $0.key.cluster != cluster || $0.value.ordinal >= ordinal }
    case .putRequest(let request):
      let key = MemoryStore.RequestKey(cluster: request.cluster, id: request.id)
      guard requests[key] == nil else {
        throw StoreError(.conflict, "request \(request.id) has been answered before")
      }
      guard requestCount(cluster: request.cluster, ordinal: request.ordinal) < RequestRecord.limit
      else { throw .tooManyRequests }
      requests[key] = request
    }
  }

  func requestCount(cluster: String, ordinal: UInt64) -> Int {
    requests.count { $0.key.cluster == cluster && $0.value.ordinal == ordinal }
  }

  private func expect(
    _ expected: Revision, _ actual: Revision?, _ record: String
  ) throws(StoreError) {
    guard actual ?? 0 == expected else {
      throw StoreError(
        .conflict, "\(record) is at revision \(actual ?? 0), not at \(expected)")
    }
  }
}
