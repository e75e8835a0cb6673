internal import CZlib

/// Decompresses a stream of bytes, up to a given amount of output.
public struct Decompressor: ~Copyable {
  private enum State {
    /// Between streams; nothing of the next one has been read.
    case idle
    case inside
    /// A gzip member is complete; another may follow.
    case betweenMembers
    /// The one zlib stream is complete.
    case complete
    case failed(CompressionError)
  }

  private let stream: ZlibStream
  private let format: CompressionFormat
  private let limit: Int
  private var produced = 0
  private var state = State.idle

  /// - Parameter limit: the largest output of one stream, in bytes; more is refused, so that a
  ///   small
  ///   input cannot fill the memory.
  public init(_ format: CompressionFormat, limit: Int) throws(CompressionError) {
    self.format = format
    self.limit = min(max(limit, 0), .max - 1)
    stream = try unsafe ZlibStream(
      begin: {
        unsafe inflateInit2_(
          $0, format.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      },
      end: { unsafe inflateEnd($0) })
  }

  /// Decompresses the next piece of a stream and appends the output. After a failure, all further
  /// calls fail the same way, until `reset`.
  ///
  /// - Throws: `.malformed`, also for bytes behind the end of the stream; `.limitExceeded`.
  public mutating func decompress(
    _ input: [UInt8], into output: inout [UInt8]
  ) throws(CompressionError) {
    if case .failed(let error) = state { throw error }
    guard !input.isEmpty else { return }
    guard input.count <= ZlibStream.maximumInputSize else {
      throw CompressionError(.limitExceeded, "more than 1 GiB of compressed data at a time")
    }
    let failure = unsafe input.withUnsafeBufferPointer { bytes -> CompressionError? in
      let pointer = unsafe stream.pointer
      // Lent for this call; zlib only reads it.
      unsafe pointer.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
      unsafe pointer.pointee.avail_in = UInt32(bytes.count)
      defer { unsafe pointer.pointee.next_in = nil }
      return inflateAll(into: &output)
    }
    if let failure {
      state = .failed(failure)
      throw failure
    }
  }

  /// Says that the input is complete.
  ///
  /// - Throws: `.truncated` when the stream is not.
  public mutating func finish() throws(CompressionError) {
    switch state {
    case .failed(let error): throw error
    case .betweenMembers, .complete: return
    case .idle, .inside:
      throw CompressionError(.truncated, "the compressed data ends too early")
    }
  }

  /// Makes ready for another stream.
  public mutating func reset() {
    _ = unsafe inflateReset(stream.pointer)
    produced = 0
    state = .idle
  }

  /// Works on all input that zlib holds; returns why it could not.
  private mutating func inflateAll(into output: inout [UInt8]) -> CompressionError? {
    while true {
      if case .complete = state {
        guard unsafe stream.pointer.pointee.avail_in == 0 else {
          return CompressionError(.malformed, "there are bytes behind the compressed data's end")
        }
        return nil
      }
      if case .betweenMembers = state {
        guard unsafe stream.pointer.pointee.avail_in > 0 else { return nil }
        _ = unsafe inflateReset(stream.pointer)
      }
      state = .inside
      let before = output.count
      // One byte more than allowed tells an output that is too large from one that just fits.
      let step = unsafe stream.run(room: limit - produced + 1, into: &output) {
        unsafe inflate($0, Z_NO_FLUSH)
      }
      produced += output.count - before
      guard produced <= limit else {
        output.removeLast(output.count - before)
        return CompressionError(.limitExceeded, "the data decompresses to more than \(limit) bytes")
      }
      switch step.result {
      case Z_STREAM_END: state = format == .gzip ? .betweenMembers : .complete
      case Z_OK, Z_BUF_ERROR:
        if !step.isFull { return nil }
      default:
        let reason = unsafe stream.pointer.pointee.msg.map { unsafe String(cString: $0) }
        return CompressionError(
          .malformed, "the compressed data is damaged\(reason.map { ": \($0)" } ?? "")")
      }
    }
  }

  /// All of `input`, which must be exactly one stream.
  public static func decompress(
    _ input: [UInt8], _ format: CompressionFormat, limit: Int
  ) throws(CompressionError) -> [UInt8] {
    var decompressor = try Decompressor(format, limit: limit)
    var output: [UInt8] = []
    try decompressor.decompress(input, into: &output)
    try decompressor.finish()
    return output
  }
}
