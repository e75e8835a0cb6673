internal import Compression
public import RPC

/// gzip and deflate for messages, by zlib.
public struct ZlibCompression: MessageCompression {
  public let name: String
  private let format: CompressionFormat

  private init(_ name: String, _ format: CompressionFormat) {
    self.name = name
    self.format = format
  }

  public static let gzip = ZlibCompression("gzip", .gzip)
  /// The zlib format of RFC 1950, which HTTP and gRPC call `deflate`.
  public static let deflate = ZlibCompression("deflate", .zlib)

  public func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    try Compressor.compress(bytes, format)
  }

  public func decompress(
    _ bytes: borrowing Span<UInt8>, limit: Int
  ) throws(RPCError) -> [UInt8] {
    let input = bytes.withUnsafeBufferPointer { Array($0) }
    do throws(CompressionError) {
      return try Decompressor.decompress(input, format, limit: limit)
    } catch {
      throw RPCError(
        error.code == .limitExceeded ? .resourceExhausted : .internalError,
        error.code == .limitExceeded
          ? "the message is larger than the limit of \(limit) bytes when decompressed"
          : "the message cannot be decompressed: \(error)")
    }
  }
}

extension [any MessageCompression] {
  /// What other gRPC implementations speak too: gzip and deflate.
  public static var standard: [any MessageCompression] {
    [ZlibCompression.gzip, ZlibCompression.deflate]
  }
}
