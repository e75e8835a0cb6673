internal import CNgHTTP2

/// One stream of a session: what is to be sent on it. A transport derives its own class from it.
///
/// The session owns a reference for as long as nghttp2 knows the stream. Confined, with its session,
/// to one event loop.
@safe
open class HTTP2Stream {
  public internal(set) var id: Int32 = 0
  /// The peer has sent END_STREAM.
  public internal(set) var isRemoteClosed = false
  /// nghttp2 has closed the stream; nothing can be sent.
  public internal(set) var isClosed = false
  /// Body bytes that are not yet in a frame.
  public internal(set) var bufferedBytes = 0

  /// The chunk that is being sent, how much of it is gone, and those behind it.
  var chunk: [UInt8] = []
  var chunkOffset = 0
  var later: [[UInt8]] = []
  var laterStart = 0
  /// No more body will come.
  var isEnded = false
  var trailers: OutgoingHeaders?
  /// nghttp2 waits for `nghttp2_session_resume_data`.
  var isDeferred = false
  /// The owner was told to hold back, and wants to know when there is room.
  public var wantsWritable = false

  /// The session's list of open streams, each of which it retains once.
  var next: Unmanaged<HTTP2Stream>?
  var previous: Unmanaged<HTTP2Stream>?

  public init() {}

  func enqueue(_ bytes: consuming [UInt8]) {
    bufferedBytes += bytes.count
    append(bytes)
  }

  private func append(_ bytes: consuming [UInt8]) {
    if bytes.isEmpty { return }
    if chunk.isEmpty {
      chunk = bytes
      chunkOffset = 0
    } else {
      later.append(bytes)
    }
  }

  /// A chunk that has grown to this is not added to.
  private static let chunkBytes = 16 << 10

  /// Lets the writer append to the last chunk that waits, so that many small pieces make few. What
  /// a writer that throws has appended is taken off again.
  func extend<E: Error>(_ write: (inout [UInt8]) throws(E) -> Void) throws(E) {
    var tail: [UInt8] = []
    let isFirst = later.isEmpty
    if isFirst {
      if chunk.count < Self.chunkBytes { swap(&tail, &chunk) }
    } else if later[later.count - 1].count < Self.chunkBytes {
      swap(&tail, &later[later.count - 1])
    }
    let before = tail.count
    defer {
      bufferedBytes += tail.count - before
      if before == 0 {
        append(tail)
      } else if isFirst {
        swap(&tail, &chunk)
      } else {
        swap(&tail, &later[later.count - 1])
      }
    }
    do throws(E) {
      try write(&tail)
    } catch {
      tail.removeLast(tail.count - before)
      throw error
    }
  }

  /// Appends the next `count` body bytes to the output.
  func takeBody(_ count: Int, into output: inout [UInt8]) {
    var left = count
    bufferedBytes -= count
    while left > 0 {
      let take = min(left, chunk.count - chunkOffset)
      if take == chunk.count {
        output.append(contentsOf: chunk)
      } else {
        output.append(contentsOf: chunk[chunkOffset..<chunkOffset + take])
      }
      chunkOffset += take
      left -= take
      if chunkOffset == chunk.count { nextChunk() }
    }
  }

  private func nextChunk() {
    chunkOffset = 0
    guard laterStart < later.count else {
      chunk = []
      return
    }
    chunk = later[laterStart]
    later[laterStart] = []
    laterStart += 1
    if laterStart == later.count {
      later = []
      laterStart = 0
    }
  }

  func dropBody() {
    chunk = []
    later = []
    laterStart = 0
    chunkOffset = 0
    bufferedBytes = 0
  }
}
