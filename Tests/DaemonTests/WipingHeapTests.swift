import Daemon
import Glibc
import Testing

/// What the program gives back of its heap. Reading a block after it was given back is what these tests are about:
/// it stays mapped, because the blocks are small and their neighbours are in use.
@Suite("A heap that keeps nothing of what was given back")
struct WipingHeapTests {
  private static let mark: UInt8 = 0xA5
  /// The allocator writes two words of its own into a free block, whose bytes may be the mark by chance.
  private static let chance = 8

  /// Blocks of one size, each filled with the mark; every second one is handed over, the rest are freed afterwards.
  private func withBlocks(of size: Int, _ body: ([UnsafeMutableRawPointer]) -> Void) throws {
    let blocks = try (0..<64).map { _ in
      let block = try #require(malloc(size))
      memset(block, Int32(Self.mark), size)
      return block
    }
    body(blocks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element))
    for (index, block) in blocks.enumerated() where index % 2 == 1 { free(block) }
  }

  /// How many bytes of the block still hold the mark.
  private func marks(_ address: UInt, _ size: Int) -> Int {
    let block = UnsafeRawPointer(bitPattern: address)!
    return (0..<size).count { block.loadUnaligned(fromByteOffset: $0, as: UInt8.self) == Self.mark }
  }

  @Test(
    "A block that is freed holds none of its bytes any more",
    .enabled(if: ProcessPrivacy.wipesHeap), arguments: [16, 48, 1000, 4096, 40_000])
  func freed(size: Int) throws {
    try withBlocks(of: size) { blocks in
      for block in blocks {
        let address = UInt(bitPattern: block)
        free(block)
        #expect(marks(address, size) < Self.chance)
      }
    }
  }

  @Test(
    "A block that grows leaves nothing where it lay, and loses nothing",
    .enabled(if: ProcessPrivacy.wipesHeap), arguments: [16, 48, 1000, 4096, 40_000])
  func grown(size: Int) throws {
    try withBlocks(of: size) { blocks in
      for block in blocks {
        let before = UInt(bitPattern: block)
        guard let moved = realloc(block, size * 3) else { continue }
        #expect(marks(UInt(bitPattern: moved), size) == size)
        if UInt(bitPattern: moved) != before { #expect(marks(before, size) < Self.chance) }
        free(moved)
      }
    }
  }

  @Test("A block that shrinks keeps its first bytes, and a size of zero gives the block back")
  func shrunk() throws {
    let block = try #require(malloc(4096))
    memset(block, Int32(Self.mark), 4096)
    let smaller = try #require(realloc(block, 64))
    #expect(marks(UInt(bitPattern: smaller), 64) == 64)
    #expect(realloc(smaller, 0) == nil)
    errno = 7
    free(nil)
    free(malloc(32))
    #expect(errno == 7)
  }
}
