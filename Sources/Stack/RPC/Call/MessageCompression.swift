/// A way to compress messages, by its name in `grpc-encoding`, such as `gzip`.
///
/// RPC knows no compression library; a transport or a program brings its own.
public protocol MessageCompression: Sendable {
  var name: String { get }
  func compress(_ bytes: [UInt8]) throws -> [UInt8]
  /// - Throws: `resourceExhausted` when the result would be larger than the limit, found out before
  ///   more than that is kept; `internalError` for malformed bytes.
  func decompress(_ bytes: borrowing Span<UInt8>, limit: Int) throws(RPCError) -> [UInt8]
}
