/// A position in the journal: a number that rises with every commit, over all clusters.
///
/// It is the fence (a record is only replaced at the revision at which it was read), the bookmark
/// of a watch and the token with which one is resumed. 0 means "before everything".
public typealias Revision = UInt64

/// The journal: where clusters and rotations are kept so that nothing is ever lost.
///
/// What has been committed survives the sudden death of the process and of the machine. A store is
/// used by one orchestrator; several may share one where the store allows it, since every write is
/// fenced by the revision it replaces.
public protocol RotationStore: Sendable {
  /// Everything needed to begin: all clusters, and the newest rotation of each. The store is believed as a whole only
  /// when this has succeeded. Single records can be read meanwhile: each of them is one that the orchestrator has
  /// written, but whether it is the newest one of its place, and none is missing, is not known yet.
  ///
  /// - Throws: `.corrupt` when the store is not whole.
  func load() async throws(StoreError) -> StoreContents

  /// Makes all changes or none, durably, and only if every expectation holds.
  ///
  /// - Returns: the revision of the commit: greater than every one before it, and now that of every
  ///   record in `changes`, whatever their own `revision` said.
  /// - Throws: `.conflict` when a record is not at the expected revision. After `.unavailable`
  ///   it is not known whether the changes were made; whoever cares reads the record again.
  func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision

  /// The cluster of that name.
  func cluster(_ name: String) async throws(StoreError) -> ClusterRecord?

  /// Clusters in the order of their names, as bytes of UTF-8.
  ///
  /// - Parameters:
  ///   - name: only those after it; nil begins with the first.
  ///   - limit: at most so many.
  func clusters(after name: String?, limit: Int) async throws(StoreError) -> [ClusterRecord]

  /// The rotation with that identifier.
  func rotation(_ id: String) async throws(StoreError) -> RotationRecord?

  /// Rotations of a cluster, the newest (highest ordinal) first.
  ///
  /// - Parameters:
  ///   - ordinal: only those with a lower ordinal; nil begins with the newest.
  ///   - limit: at most so many.
  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord]

  /// The answer that was given before to the request of that identifier on that cluster.
  func request(_ id: String, cluster: String) async throws(StoreError) -> RequestRecord?

  /// How many answers are kept of one rotation: `RequestRecord.limit` at most.
  func requestCount(cluster: String, ordinal: UInt64) async throws(StoreError) -> Int
}

/// What a store holds when it is opened.
public struct StoreContents: Sendable, Hashable {
  /// The revision of the newest commit.
  public var revision: Revision
  /// By name, in order of name.
  public var clusters: [ClusterRecord]
  /// The newest rotation of every cluster that has any.
  public var rotations: [RotationRecord]

  public init(revision: Revision, clusters: [ClusterRecord], rotations: [RotationRecord]) {
    self.revision = revision
    self.clusters = clusters
    self.rotations = rotations
  }
}

/// One change of a commit. `expected` is the revision the record has now; 0 means that there must
/// be none.
public enum StoreChange: Sendable, Hashable {
  case putCluster(ClusterRecord, expected: Revision)
  /// Removes the cluster, its rotations and the answers to their requests.
  case removeCluster(String, expected: Revision)
  /// Puts the rotation in place of the one at the expected revision.
  ///
  /// - Parameter machines: the names of the machines whose progress has changed; what a store need not write are the
  ///   others, and what a rotation keeps for its whole time. Nil: anything may have changed, the set of machines too.
  case putRotation(RotationRecord, expected: Revision, machines: Set<String>? = nil)
  /// Removes all rotations of the cluster with a lower ordinal, and the answers to their requests.
  case pruneRotations(cluster: String, before: UInt64)
  /// Remembers an answer; a conflict when that request on that cluster has been answered before, `.exhausted` when the
  /// rotation has `RequestRecord.limit` answers.
  case putRequest(RequestRecord)
}

extension StoreError {
  /// A rotation has as many answered requests as it may have.
  public static let tooManyRequests = StoreError(
    .exhausted, "there are \(RequestRecord.limit) answered requests of the rotation already")
}

/// Why a store could not do what it was asked.
public struct StoreError: Error, Sendable, Hashable {
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// A record is not at the expected revision.
    case conflict
    /// There are as many records of the kind as may be.
    case exhausted
    /// The store cannot be read or written now: no space, no right, a broken disk, a closed store.
    case unavailable
    /// What is stored cannot be understood.
    case corrupt
    /// The store belongs to a newer version, or to another program.
    case incompatible
    /// Another process uses the store.
    case inUse
  }

  public var code: Code
  /// What happened and what to do about it.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
