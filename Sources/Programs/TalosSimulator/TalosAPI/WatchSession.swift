internal import Crypto
internal import ProtoCodec
internal import RPC
internal import Schema

/// One watch: what is there first, if asked for, then every change until the caller leaves.
///
/// The log of the kind is what a slow reader falls behind in: nothing is kept for a reader, and none costs another one
/// anything.
struct WatchSession {
  let node: SimulatedNode
  let request: Cosi.WatchRequest
  let writer: ResponseWriter<Cosi.WatchResponse>

  /// How many watches a machine serves at once. A real one has no such limit.
  static let limit = 256

  func run() async throws {
    let options = request.options ?? Cosi.WatchOptions()
    switch await node.faults.watches {
    case nil: break
    case .refused?:
      throw RPCError(.unimplemented, "unknown method Watch for service cosi.resource.State")
    case .silent?: return try await standSilent()
    case .endless?: return try await repeatWithoutEnd()
    }
    // Of one resource the query for identifiers means nothing.
    let filter = try ResourceFilter(
      labels: options.labelQuery, id: request.id == nil ? options.idQuery : nil)
    let bookmarks = await node.bookmarks
    var place = try await begin(options, filter, bookmarks)
    while true {
      let (found, next) = try await node.resourceEvents(
        from: place, namespace: request.namespace, type: request.type, id: request.id)
      switch found {
      case .lost(let end): return try await lost(at: place, end)
      case .events(let events):
        place = next
        let wanted = events.filter { filter.matches($0.resource) }.map {
          Cosi.Event($0, bookmarks.encode($0.index))
        }
        try await send(wanted, aggregated: options.aggregated)
      }
    }
  }

  /// The first events, after an empty message that says that the watch stands. Returns the place of the log from which
  /// the watch goes on.
  private func begin(
    _ options: Cosi.WatchOptions, _ filter: ResourceFilter, _ bookmarks: BookmarkCoding
  ) async throws -> Int {
    if request.id != nil {
      if options.bootstrapContents {
        throw RPCError(
          .unimplemented, "bootstrap contents is not implemented for resource watch")
      }
      if !options.labelQuery.isEmpty {
        throw RPCError(.unimplemented, "label query is not implemented for resource watch")
      }
    }
    let isResumed = options.startFromBookmark != nil
    if options.bootstrapContents, options.tailEvents > 0 || isResumed {
      throw RPCError(
        .unknown,
        "cannot use BootstrapContents with TailEvents and StartFromBookmark options")
    }
    if options.tailEvents > 0, isResumed {
      throw RPCError(.unknown, "cannot use both TailEvents and StartFromBookmark options")
    }
    let (present, end) = await node.resourceSnapshot(
      namespace: request.namespace, type: request.type)
    var place = end
    if let bytes = options.startFromBookmark {
      guard let index = bookmarks.decode(bytes),
        let behind = await node.resources.place(
          behind: index, namespace: request.namespace, type: request.type, id: request.id)
      else { throw RPCError(.failedPrecondition, "invalid watch bookmark") }
      place = behind
    } else if options.tailEvents > 0 {
      place = await node.resources.place(
        ofLast: Int(options.tailEvents), namespace: request.namespace, type: request.type,
        id: request.id)
    }
    try await writer.write(Cosi.WatchResponse())
    if let id = request.id {
      if !isResumed, options.tailEvents <= 0 {
        try await send([current(present.first { $0.key.id == id }, id: id)], aggregated: false)
      }
      return place
    }
    let bookmark = bookmarks.encode(place - 1)
    if options.bootstrapContents {
      var events = present.filter(filter.matches).map { resource in
        var event = Cosi.Event()
        event.eventType = .created
        event.resource = Cosi.Resource(resource)
        return event
      }
      if request.apiVersion >= 1 { events.append(mark(.bootstrapped, bookmark)) }
      try await send(events, aggregated: options.aggregated)
    }
    if options.bootstrapBookmark {
      try await send([mark(.noop, bookmark)], aggregated: options.aggregated)
    }
    return place
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
  private func mark(_ type: Cosi.EventType, _ bookmark: [UInt8]) -> Cosi.Event {
    var event = Cosi.Event()
    event.eventType = type
    event.resource = tombstone("")
    event.bookmark = bookmark
    return event
  }

  private func tombstone(_ id: String) -> Cosi.Resource {
    Cosi.Resource(
      tombstone: ResourceStore.Key(
        namespace: request.namespace, type: request.type, id: id))
  }

  /// The watch fell too far behind. It is told so if its version of the API has a word for it; the stream stays open, and
  /// nothing comes any more.
  private func lost(at place: Int, _ end: Int) async throws {
    if request.apiVersion >= 1 {
      var event = Cosi.Event()
      event.eventType = .errored
      event.error =
        "buffer overrun: namespace \"\(request.namespace)\" type \"\(request.type)\", write pos "
        + "\(end), pos \(place), capacity \(ResourceStore.logLimit)"
      try await send([event], aggregated: false)
    }
    try await waitForCaller()
  }

  private func send(_ events: [Cosi.Event], aggregated: Bool) async throws {
    if events.isEmpty { return }
    for batch in aggregated ? [events] : events.map({ [$0] }) {
      var response = Cosi.WatchResponse()
      response.event = batch
      try await writer.write(response)
    }
  }

  /// Returns, by throwing, when the caller leaves or the machine ends.
  private func waitForCaller() async throws {
    while true { try await Task.sleep(for: .seconds(3600)) }
  }
}

/// What is wrong with a machine's watches (`Faults.watches`).
extension WatchSession {
  /// The watch stands, and shows nothing at all.
  private func standSilent() async throws {
    try await writer.write(Cosi.WatchResponse())
    try await waitForCaller()
  }

  /// Says again and again that the resource has changed, as fast as the caller takes it; of a service that it is well.
  private func repeatWithoutEnd() async throws {
    try await writer.write(Cosi.WatchResponse())
    let (present, _) = await node.resourceSnapshot(
      namespace: request.namespace, type: request.type)
    let shown = present.first { request.id == nil || $0.key.id == request.id }
    var event = current(shown, id: request.id ?? "")
    event.eventType = .updated
    if request.type == ResourceCatalog.service.type {
      var spec = Talos.ServiceSpec()
      (spec.running, spec.healthy) = (true, true)
      event.resource?.spec?.protoSpec = spec.serialized()
    }
    while true {
      try await send([event], aggregated: false)
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}

/// How a place in a log is written for clients, to whom the bytes mean nothing: eight random ones that tell one boot of a
/// machine from the next, and eight of the place, most significant first.
struct BookmarkCoding: Sendable {
  private let cookie = Random.bytes(8)

  func encode(_ index: Int) -> [UInt8] {
    let bits = UInt64(bitPattern: Int64(index))
    return cookie + (0..<8).reversed().map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
  }

  /// Nil for what this boot has not written.
  func decode(_ bytes: [UInt8]) -> Int? {
    guard bytes.count == 16, bytes.starts(with: cookie) else { return nil }
    return Int(Int64(bitPattern: bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }))
  }
}

extension Cosi.Event {
  init(_ event: ResourceStore.Event, _ bookmark: [UInt8]) {
    self.init()
    eventType =
      switch event.kind {
      case .created: .created
      case .updated: .updated
      case .destroyed: .destroyed
      }
    resource = Cosi.Resource(event.resource)
    old = event.old.map(Cosi.Resource.init)
    self.bookmark = bookmark
  }
}
