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
  /// No more body will come: of a server's stream the answer is whole.
  public internal(set) var isEnded = false
  /// nghttp2 asks this stream for its body. It is not asked while there is nothing to send: what it
  /// keeps for asking is a third of what it keeps for a stream.
  var isSource = false
  /// Body bytes that are not yet in a frame.
  public internal(set) var bufferedBytes = 0
  /// The chunk that is being sent, how much of it is gone, and those behind it.
  private var chunk: [UInt8] = []
  private var chunkOffset = 0
  private var later: LaterChunks?

  /// The session's list of open streams, each of which it retains once.
  var next: Unmanaged<HTTP2Stream>?
  var previous: Unmanaged<HTTP2Stream>?

  // Small members stand where they fill gaps: there may be a hundred thousand streams.
  var trailers: OutgoingHeaders?
  /// nghttp2 waits for `nghttp2_session_resume_data`.
  var isDeferred = false
  /// A client's request has left the session.
  public internal(set) var hasBegun = false
  /// The owner was told to hold back, and wants to know when there is room.
  public var wantsWritable = false

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
    } else if let later {
      later.chunks.append(bytes)
    } else {
      later = LaterChunks(bytes)
    }
  }

  /// Few streams have more than one chunk at a time.
  private final class LaterChunks {
    var chunks: [[UInt8]]
    var start = 0

    init(_ first: consuming [UInt8]) { chunks = [first] }
  }

  /// A chunk that has grown to this is not added to.
  private static let chunkBytes = 16 << 10

  /// Lets the writer append to the last chunk that waits, so that many small pieces make few. What
  /// a writer that throws has appended is taken off again.
  func extend<E: Error>(_ write: (inout [UInt8]) throws(E) -> Void) throws(E) {
    var tail: [UInt8] = []
    let later = later
    if let later {
      if later.chunks[later.chunks.count - 1].count < Self.chunkBytes {
        swap(&tail, &later.chunks[later.chunks.count - 1])
      }
    } else if chunk.count < Self.chunkBytes {
      swap(&tail, &chunk)
    }
    let before = tail.count
    defer {
      bufferedBytes += tail.count - before
      if before == 0 {
        append(tail)
      } else if let later {
        swap(&tail, &later.chunks[later.chunks.count - 1])
      } else {
        swap(&tail, &chunk)
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
    guard let later else {
      chunk = []
      return
    }
    chunk = later.chunks[later.start]
    later.chunks[later.start] = []
    later.start += 1
    if later.start == later.chunks.count {
      self.later = nil
    } else if later.start >= 32 && 2 * later.start >= later.chunks.count {
      later.chunks.removeFirst(later.start)
      later.start = 0
    }
  }

  func dropBody() {
    chunk = []
    later = nil
    chunkOffset = 0
    bufferedBytes = 0
  }
}
