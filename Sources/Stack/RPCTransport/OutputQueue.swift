internal import RPC
internal import Reactor

/// Bytes for the peer that its socket has not taken yet. An empty queue keeps no memory, because most
/// connections are idle.
struct OutputQueue {
  private var bytes: [UInt8] = []
  private var taken = 0

  /// What came of writing.
  enum Outcome: Equatable {
    /// The socket has taken everything.
    case written
    /// The socket takes no more for now.
    case waits
    /// The socket takes nothing any more.
    case failed(ConnectionEnd)
  }

  var isEmpty: Bool { taken == bytes.count }

  /// Bytes that the queue has in memory.
  var keptBytes: Int { bytes.count }

  /// How many bytes the socket has taken in all.
  private(set) var written = 0

  /// Lets the writer append bytes.
  mutating func append(_ write: (inout [UInt8]) -> Void) { write(&bytes) }

  /// Writes bytes; the queue keeps those that the socket does not take. Nothing may wait before them.
  mutating func send(
    _ new: [UInt8], _ write: (UnsafeRawBufferPointer) -> Socket.Transfer
  ) -> Outcome {
    switch new.withUnsafeBytes(write) {
    case .bytes(let count):
      written &+= count
      if count == new.count { return .written }
      bytes.append(contentsOf: new[count...])
      return .waits
    case .wouldBlock:
      bytes.append(contentsOf: new)
      return .waits
    case .ended: return .failed(.closedByPeer)
    case .failed(let error): return .failed(Self.failure(error))
    }
  }

  /// Writes what waits, as far as the socket takes it.
  mutating func flush(_ write: (UnsafeRawBufferPointer) -> Socket.Transfer) -> Outcome {
    while !isEmpty {
      let result = bytes.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
      switch result {
      case .bytes(let count):
        taken += count
        written &+= count
      case .wouldBlock: return .waits
      case .ended: return .failed(.closedByPeer)
      case .failed(let error): return .failed(Self.failure(error))
      }
    }
    drop()
    return .written
  }

  mutating func drop() {
    bytes = []
    taken = 0
  }

  private static func failure(_ error: Int32) -> ConnectionEnd {
    ConnectionEnd(using: SystemError("write", errno: error))
  }
}
