/// A client's requests that wait for the peer to allow one more stream (RFC 9113 section 5.1.2).
///
/// nghttp2 has such a queue too, but keeps in it what was cancelled, and searches all of it to cancel
/// one: calls that time out behind long watches would pile up.
struct RequestQueue {
  struct Entry {
    var stream: HTTP2Stream
    var head: OutgoingHeaders
    var hasBody: Bool
  }

  /// Oldest first; what was taken out from the middle is nil.
  private var entries: [Entry?] = []
  private var start = 0
  /// Where the entry of a stream stands.
  private var positions: [ObjectIdentifier: Int] = [:]

  var count: Int { positions.count }
  var isEmpty: Bool { positions.isEmpty }

  mutating func append(_ entry: Entry) {
    // No more gaps than entries.
    if entries.count >= 64 && entries.count > 2 * positions.count { close() }
    positions[ObjectIdentifier(entry.stream)] = entries.count
    entries.append(entry)
  }

  /// The request that has waited longest.
  mutating func popFirst() -> Entry? {
    while start < entries.count {
      let entry = entries[start].take()
      start += 1
      if let entry {
        positions[ObjectIdentifier(entry.stream)] = nil
        if positions.isEmpty { close() }
        return entry
      }
    }
    return nil
  }

  /// False when the stream does not wait here.
  mutating func remove(_ stream: HTTP2Stream) -> Bool {
    guard let position = positions.removeValue(forKey: ObjectIdentifier(stream)) else {
      return false
    }
    entries[position] = nil
    if positions.isEmpty { close() }
    return true
  }

  /// Closes the gaps.
  private mutating func close() {
    entries = entries.filter { $0 != nil }
    start = 0
    for (position, entry) in entries.enumerated() {
      if let entry { positions[ObjectIdentifier(entry.stream)] = position }
    }
  }
}
