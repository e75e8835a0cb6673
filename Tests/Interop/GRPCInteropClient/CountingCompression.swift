import RPC
import RPCTransport
import Synchronization

/// gzip that counts the messages that came compressed: how the client tells whether the server did
/// what it was asked to.
final class CountingCompression: MessageCompression {
  private let gzip = ZlibCompression.gzip
  private let count = Atomic(0)

  var name: String { gzip.name }

  /// Compressed messages received since this was last asked.
  func takeCount() -> Int { count.exchange(0, ordering: .sequentiallyConsistent) }

  func compress(_ bytes: [UInt8]) throws -> [UInt8] { try gzip.compress(bytes) }

  func decompress(
    _ bytes: borrowing Span<UInt8>, limit: Int
  ) throws(RPCError) -> [UInt8] {
    count.add(1, ordering: .sequentiallyConsistent)
    return try gzip.decompress(bytes, limit: limit)
  }
}
