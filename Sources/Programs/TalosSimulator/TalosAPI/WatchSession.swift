internal import RPC
internal import Schema

/// One watch: what is there first, if asked for, then every change until the caller leaves.
struct WatchSession {
  let node: SimulatedNode
  let request: Cosi.WatchRequest
  let writer: ResponseWriter<Cosi.WatchResponse>

  func run() async throws {
    let options = request.options ?? Cosi.WatchOptions()
    if request.id != nil {
      if options.bootstrapContents {
        throw RPCError(
          .unimplemented, "bootstrap contents is not implemented for resource watch")
      }
      if !options.labelQuery.isEmpty {
        throw RPCError(.unimplemented, "label query is not implemented for resource watch")
      }
    }
    if options.tailEvents > 0 {
      throw RPCError(.unimplemented, "tail events are not simulated")
    }
    let filter = try ResourceFilter(labels: options.labelQuery, id: options.idQuery)
    var bookmark = try await begin(options, filter)
    while true {
      let (found, next) = try await node.resourceEvents(
        after: bookmark, namespace: request.namespace, type: request.type, id: request.id)
      guard case .events(let events) = found else { return try await lost() }
      bookmark = next
      let wanted = events.filter { filter.matches($0.resource) }.map(Cosi.Event.init)
      try await send(wanted, aggregated: options.aggregated)
    }
  }

  /// The first events, after an empty message that says that the watch stands. Returns the bookmark
  /// behind which the watch goes on.
  private func begin(
    _ options: Cosi.WatchOptions, _ filter: ResourceFilter
  ) async throws -> UInt64 {
    if let bytes = options.startFromBookmark {
      guard let bookmark = Bookmark.decode(bytes), await node.resourceLogReaches(bookmark),
        !options.bootstrapContents
      else { throw RPCError(.failedPrecondition, "invalid watch bookmark") }
      try await writer.write(Cosi.WatchResponse())
      return bookmark
    }
    let (present, head) = await node.resourceSnapshot(
      namespace: request.namespace, type: request.type)
    try await writer.write(Cosi.WatchResponse())
    if let id = request.id {
      try await send([current(present.first { $0.key.id == id }, id: id)], aggregated: false)
      return head
    }
    if options.bootstrapContents {
      var events = present.filter(filter.matches).map { resource in
        var event = Cosi.Event()
        event.eventType = .created
        event.resource = Cosi.Resource(resource)
        return event
      }
      if request.apiVersion >= 1 { events.append(mark(.bootstrapped, head)) }
      try await send(events, aggregated: options.aggregated)
    }
    if options.bootstrapBookmark {
      try await send([mark(.noop, head)], aggregated: options.aggregated)
    }
    return head
  }

  /// The state of the one resource that is watched: as created, or as destroyed if it is not there.
  private func current(_ resource: ResourceStore.Resource?, id: String) -> Cosi.Event {
    var event = Cosi.Event()
    if let resource {
      event.eventType = .created
      event.resource = Cosi.Resource(resource)
    } else {
      event.eventType = .destroyed
      event.resource = tombstone(id)
    }
    return event
  }

  /// An event that is about the watch itself.
  private func mark(_ type: Cosi.EventType, _ head: UInt64) -> Cosi.Event {
    var event = Cosi.Event()
    event.eventType = type
    event.resource = tombstone("")
    event.bookmark = Bookmark.encode(head)
    return event
  }

  private func tombstone(_ id: String) -> Cosi.Resource {
    Cosi.Resource(
      tombstone: ResourceStore.Key(
        namespace: request.namespace, type: request.type, id: id))
  }

  /// The watch fell too far behind. It is told so if its version of the API has a word for it.
  private func lost() async throws {
    guard request.apiVersion >= 1 else { return }
    var event = Cosi.Event()
    event.eventType = .errored
    event.error = "buffer overrun: the watch has fallen behind"
    try await send([event], aggregated: false)
  }

  private func send(_ events: [Cosi.Event], aggregated: Bool) async throws {
    if events.isEmpty { return }
    for batch in aggregated ? [events] : events.map({ [$0] }) {
      var response = Cosi.WatchResponse()
      response.event = batch
      try await writer.write(response)
    }
  }
}

/// A place in a machine's log: eight bytes that say which run of the program it is of, and eight of
/// the position, most significant first. Opaque to clients.
enum Bookmark {
  private static let cookie = Array("talosim".utf8) + [0]

  static func encode(_ value: UInt64) -> [UInt8] {
    cookie + (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  static func decode(_ bytes: [UInt8]) -> UInt64? {
    guard bytes.count == 16, bytes.starts(with: cookie) else { return nil }
    return bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension Cosi.Event {
  init(_ event: ResourceStore.Event) {
    self.init()
    eventType =
      switch event.kind {
      case .created: .created
      case .updated: .updated
      case .destroyed: .destroyed
      }
    resource = Cosi.Resource(event.resource)
    old = event.old.map(Cosi.Resource.init)
    bookmark = Bookmark.encode(event.bookmark)
  }
}
