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
    /// The place of this event in the log of its kind, counted from 0; a watch can be resumed behind it.
    var index: Int
  }

  /// What a watch gets when it asks for what came from a place of a log on.
  enum Continuation: Sendable, Equatable {
    case events([Event])
    /// The log no longer reaches back that far: it goes up to `end`.
    case lost(end: Int)
  }

  /// How many events are kept of each kind for watches that lag behind, as Talos keeps them.
  static let logLimit = 1024
  /// By how much nearer than that a watch has to begin that is resumed, so that it is not lost at once.
  static let logGap = 4

  /// What resources have in common that share a log.
  private struct Kind: Hashable {
    var namespace: String
    var type: String
  }

  /// The events of one kind, the newest `logLimit` at least.
  private struct Log {
    /// The place behind the newest event.
    var end = 0
    var kept: [Event] = []

    /// Whether the events from a place on are there.
    func reaches(_ place: Int) -> Bool { place <= end && end - place <= ResourceStore.logLimit }

    mutating func append(_ kind: EventKind, _ resource: Resource, old: Resource?) {
      kept.append(Event(kind: kind, resource: resource, old: old, index: end))
      end += 1
      // Not one by one, because that would move all others each time.
      if kept.count >= 2 * ResourceStore.logLimit {
        kept.removeFirst(kept.count - ResourceStore.logLimit)
      }
    }

    func events(from place: Int) -> ArraySlice<Event> { kept.suffix(end - place) }
  }

  private var resources: [Key: Resource] = [:]
  private var logs: [Kind: Log] = [:]
  /// Counts the events of all kinds.
  private(set) var changes: UInt64 = 0

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

  private mutating func append(_ kind: EventKind, _ resource: Resource, old: Resource?) {
    changes += 1
    let key = Kind(namespace: resource.key.namespace, type: resource.key.type)
    logs[key, default: Log()].append(kind, resource, old: old)
  }
}

/// Where a watch begins, and what it gets from there on.
extension ResourceStore {
  private func log(_ namespace: String, _ type: String) -> Log {
    logs[Kind(namespace: namespace, type: type)] ?? Log()
  }

  /// The place behind the newest event of a kind.
  func end(namespace: String, type: String) -> Int { log(namespace, type).end }

  /// Everything from a place of the kind's log on, of the one resource if an id is given.
  func events(from place: Int, namespace: String, type: String, id: String?) -> Continuation {
    let log = log(namespace, type)
    guard log.reaches(place) else { return .lost(end: log.end) }
    return .events(log.events(from: place).filter { id == nil || $0.resource.key.id == id })
  }

  /// The place behind the event of a bookmark; nil where the log holds no such event any more.
  ///
  /// - Parameter id: the one resource that is watched. A watch of a kind can also be resumed in front of the first
  ///   event of all, at -1, because its bookmark may be from before that.
  func place(behind index: Int, namespace: String, type: String, id: String?) -> Int? {
    let end = end(namespace: namespace, type: type)
    let first = max(end - Self.logLimit + Self.logGap, id == nil ? -1 : 0)
    return index >= first && index < end ? index + 1 : nil
  }

  /// The place of the last so many events, as far as the log reaches back: of the one resource if an id is given.
  func place(ofLast count: Int, namespace: String, type: String, id: String?) -> Int {
    let log = log(namespace, type)
    let first = max(log.end - Self.logLimit + Self.logGap, 0)
    guard let id else { return max(log.end - count, first) }
    let own = log.events(from: first).filter { $0.resource.key.id == id }.suffix(count)
    return own.count < count ? first : own.first?.index ?? log.end
  }
}
