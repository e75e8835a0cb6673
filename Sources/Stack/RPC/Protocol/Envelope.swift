/// The length-prefixed messages of gRPC, gRPC-Web and Connect streams: one byte of flags, four
/// bytes of length (big endian), the message.
package enum Envelope {
  package static let prefixLength = 5
  package static let compressedFlag: UInt8 = 0x01

  /// Sets the prefix of an envelope that starts at `start` and ends with the buffer.
  package static func seal(_ buffer: inout [UInt8], from start: Int, flags: UInt8) {
    let length = UInt32(buffer.count - start - prefixLength)
    var bytes = buffer.mutableSpan
    bytes[start] = flags
    bytes[start + 1] = UInt8(truncatingIfNeeded: length >> 24)
    bytes[start + 2] = UInt8(truncatingIfNeeded: length >> 16)
    bytes[start + 3] = UInt8(truncatingIfNeeded: length >> 8)
    bytes[start + 4] = UInt8(truncatingIfNeeded: length)
  }

  /// Appends room for a prefix.
  package static func open(_ buffer: inout [UInt8]) {
    buffer.append(0)
    buffer.append(0)
    buffer.append(0)
    buffer.append(0)
    buffer.append(0)
  }
}

/// Cuts a byte stream into envelopes, whatever pieces it arrives in.
///
/// Holds at most one incomplete message, whose length was checked against the limit before a byte
/// of it was kept.
package struct EnvelopeReader {
  private var partial: [UInt8] = []
  package let limit: Int

  package init(limit: Int) { self.limit = limit }

  /// Bytes kept of an incomplete message.
  package var partialBytes: Int { partial.count }

  /// Whether the stream may end here.
  package var isAtBoundary: Bool { partial.isEmpty }

  /// Takes a piece in and hands on each envelope it completes, in order.
  ///
  /// - Throws: `resourceExhausted` for a message over the limit, and what the closure throws; the
  ///   reader must not be used after that.
  package mutating func receive(
    _ data: borrowing Span<UInt8>,
    deliver: (_ flags: UInt8, _ message: borrowing Span<UInt8>) throws(RPCError) -> Void
  ) throws(RPCError) {
    try receive(data, deliver: deliver) { (whole) throws(RPCError) in
      try deliver(whole[0], whole.span.extracting(Envelope.prefixLength..<whole.count))
    }
  }

  /// The same.
  ///
  /// - Parameter deliverWhole: gets, in place of `deliver`, what was put together from pieces: the
  ///   envelope with its prefix, to be kept without a copy.
  package mutating func receive(
    _ data: borrowing Span<UInt8>,
    deliver: (_ flags: UInt8, _ message: borrowing Span<UInt8>) throws(RPCError) -> Void,
    deliverWhole: (_ envelope: [UInt8]) throws(RPCError) -> Void
  ) throws(RPCError) {
    var at = 0
    if !partial.isEmpty {
      at = try complete(data)
      guard at >= 0 else { return }
      let whole = partial
      partial = []
      try deliverWhole(whole)
    }
    while data.count - at >= Envelope.prefixLength {
      let length = Self.length(
        data[at + 1], data[at + 2], data[at + 3], data[at + 4])
      try check(length)
      let start = at + Envelope.prefixLength
      guard data.count - start >= length else { break }
      try deliver(data[at], data.extracting(start..<start + length))
      at = start + length
    }
    guard at < data.count else { return }
    if data.count - at >= Envelope.prefixLength {
      expect(Self.length(data[at + 1], data[at + 2], data[at + 3], data[at + 4]))
    }
    keep(data.extracting(at..<data.count))
  }

  /// Makes room for the whole message, so that it is not moved as it comes in. Memory that no byte
  /// is written to costs nothing; a peer that only announces much gets no more than that.
  private mutating func expect(_ length: Int) {
    partial.reserveCapacity(Envelope.prefixLength + length)
  }

  /// Fills the incomplete envelope from the start of the piece: how much of the piece that took, or
  /// -1 when all of it went in and more is needed.
  private mutating func complete(_ data: borrowing Span<UInt8>) throws(RPCError) -> Int {
    var at = 0
    while partial.count < Envelope.prefixLength {
      guard at < data.count else { return -1 }
      partial.append(data[at])
      at += 1
    }
    let length = Self.length(partial[1], partial[2], partial[3], partial[4])
    try check(length)
    if partial.capacity < Envelope.prefixLength + length { expect(length) }
    let missing = Envelope.prefixLength + length - partial.count
    let take = min(missing, data.count - at)
    keep(data.extracting(at..<at + take))
    return take == missing ? at + take : -1
  }

  private mutating func keep(_ data: borrowing Span<UInt8>) {
    data.withUnsafeBufferPointer { partial.append(contentsOf: $0) }
  }

  private func check(_ length: Int) throws(RPCError) {
    if length > limit {
      throw RPCError(
        .resourceExhausted, "message of \(length) bytes is larger than the limit of \(limit)")
    }
  }

  private static func length(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> Int {
    Int(a) << 24 | Int(b) << 16 | Int(c) << 8 | Int(d)
  }
}
