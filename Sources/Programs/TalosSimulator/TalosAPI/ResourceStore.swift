/// The resources of one machine as COSI keeps them: versions that count up, and a log of what
/// happened, from which watches are served. A pure value.
struct ResourceStore: Sendable {
  struct Key: Sendable, Hashable {
    var namespace: String
    var type: String
    var id: String
  }

  struct Resource: Sendable, Equatable {
    var key: Key
    var version: UInt64
    var owner: String
    /// Nanoseconds since 1970.
    var created: Int64
    var updated: Int64
    var spec: [UInt8]
  }

  enum EventKind: Sendable, Equatable { case created, updated, destroyed }

  struct Event: Sendable, Equatable {
    var kind: EventKind
    var resource: Resource
    var old: Resource?
    /// The place of this event in the log; a watch can be resumed behind it.
    var bookmark: UInt64
  }

  /// What a watch gets when it asks for what came after a bookmark.
  enum Continuation: Sendable, Equatable {
    case events([Event])
    /// The log no longer reaches back that far.
    case lost
  }

  /// How many events are kept for watches that lag behind.
  static let logLimit = 1024

  private var resources: [Key: Resource] = [:]
  private var log: [Event] = []
  /// The bookmark of the newest event.
  private(set) var head: UInt64 = 0

  func get(_ key: Key) -> Resource? { resources[key] }

  /// The resources of a type, by id.
  func list(namespace: String, type: String) -> [Resource] {
    resources.values.filter { $0.key.namespace == namespace && $0.key.type == type }
      .sorted { $0.key.id < $1.key.id }
  }

  /// Writes a spec; the version counts up only if it is another one.
  mutating func put(_ key: Key, owner: String, spec: [UInt8], now: Int64) {
    guard let old = resources[key] else {
      let new = Resource(
        key: key, version: 1, owner: owner, created: now, updated: now, spec: spec)
      resources[key] = new
      append(.created, new, old: nil)
      return
    }
    guard old.spec != spec else { return }
    var new = old
    new.version += 1
    new.updated = now
    new.spec = spec
    resources[key] = new
    append(.updated, new, old: old)
  }

  mutating func remove(_ key: Key) {
    guard let old = resources.removeValue(forKey: key) else { return }
    append(.destroyed, old, old: nil)
  }

  /// Everything after a bookmark that concerns the type, and the id if one is given.
  func events(
    after bookmark: UInt64, namespace: String, type: String, id: String?
  )
    -> Continuation
  {
    if bookmark > head { return .lost }
    if bookmark < head, let oldest = log.first, oldest.bookmark > bookmark + 1 { return .lost }
    return .events(
      log.filter {
        $0.bookmark > bookmark && $0.resource.key.namespace == namespace
          && $0.resource.key.type == type && (id == nil || $0.resource.key.id == id)
      })
  }

  private mutating func append(_ kind: EventKind, _ resource: Resource, old: Resource?) {
    head += 1
    log.append(Event(kind: kind, resource: resource, old: old, bookmark: head))
    if log.count > Self.logLimit { log.removeFirst(log.count - Self.logLimit) }
  }
}
