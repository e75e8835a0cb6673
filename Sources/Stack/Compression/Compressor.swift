internal import CZlib

/// Compresses a stream of bytes. Can be used for one stream after another, which spares the set-up.
public struct Compressor: ~Copyable {
  private let stream: ZlibStream

  /// - Parameter level: 1 (fast) to 9 (small).
  public init(_ format: CompressionFormat, level: Int = 6) throws(CompressionError) {
    let level = Int32(min(max(level, 1), 9))
    stream = try unsafe ZlibStream(
      begin: {
        unsafe deflateInit2_(
          $0, level, Z_DEFLATED, format.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
          Int32(MemoryLayout<z_stream>.size))
      },
      end: { unsafe deflateEnd($0) })
  }

  /// Compresses `input` and appends what is ready to `output`. With `finish` the stream is ended,
  /// and the next call begins another.
  public mutating func compress(
    _ input: [UInt8], into output: inout [UInt8], finish: Bool
  ) throws(CompressionError) {
    guard input.count <= ZlibStream.maximumInputSize else {
      throw CompressionError(.limitExceeded, "more than 1 GiB to compress at a time")
    }
    let flush = finish ? Z_FINISH : Z_NO_FLUSH
    let pointer = unsafe stream.pointer
    let isDone = unsafe input.withUnsafeBufferPointer { bytes -> Bool in
      // Lent for this call; zlib only reads it.
      unsafe pointer.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
      unsafe pointer.pointee.avail_in = UInt32(bytes.count)
      defer { unsafe pointer.pointee.next_in = nil }
      while true {
        let step = unsafe stream.run(room: .max, into: &output) { unsafe deflate($0, flush) }
        if step.result == Z_STREAM_END { return true }
        guard step.result == Z_OK || step.result == Z_BUF_ERROR else { return false }
        if !step.isFull { return !finish }
      }
    }
    guard isDone else { throw CompressionError(.internalFailure, "zlib could not compress") }
    if finish { _ = unsafe deflateReset(pointer) }
  }

  /// All of `input` as one stream.
  public static func compress(
    _ input: [UInt8], _ format: CompressionFormat, level: Int = 6
  ) throws(CompressionError) -> [UInt8] {
    var compressor = try Compressor(format, level: level)
    var output: [UInt8] = []
    try compressor.compress(input, into: &output, finish: true)
    return output
  }
}
