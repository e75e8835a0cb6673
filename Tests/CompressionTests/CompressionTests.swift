import Foundation
import TestSupport
import Testing

@testable import Compression

@Suite("gzip and zlib")
struct CompressionTests {
  static let formats: [CompressionFormat] = [.gzip, .zlib]
  static let samples: [[UInt8]] = [
    [], [1], Array("hello, hello, hello".utf8), [UInt8](repeating: 9, count: 1_000_000),
    (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) },
  ]

  private func failure(_ body: () throws(CompressionError) -> Void) -> CompressionError.Code? {
    do { try body() } catch { return error.code }
    return nil
  }

  @Test("what was compressed comes back", arguments: formats, samples.indices)
  func roundTrip(format: CompressionFormat, index: Int) throws {
    let sample = Self.samples[index]
    for level in [1, 6, 9] {
      let compressed = try Compressor.compress(sample, format, level: level)
      #expect(try Decompressor.decompress(compressed, format, limit: sample.count) == sample)
    }
  }

  @Test(
    "the input may come in pieces of any size, and a compressor may be used again",
    arguments: formats)
  func pieces(format: CompressionFormat) throws {
    let sample = Self.samples[4]
    var compressor = try Compressor(format)
    var decompressor = try Decompressor(format, limit: sample.count)
    for size in [1, 7, 4096] {
      var compressed: [UInt8] = []
      var position = 0
      while position < sample.count {
        let end = min(position + size * 100, sample.count)
        try compressor.compress(Array(sample[position..<end]), into: &compressed, finish: false)
        position = end
      }
      try compressor.compress([], into: &compressed, finish: true)
      var output: [UInt8] = []
      position = 0
      while position < compressed.count {
        let end = min(position + size, compressed.count)
        try decompressor.decompress(Array(compressed[position..<end]), into: &output)
        position = end
      }
      try decompressor.finish()
      #expect(output == sample)
      decompressor.reset()
    }
  }

  @Test(
    "a small input that would grow beyond the limit is refused, and keeps being refused",
    arguments: formats)
  func bombs(format: CompressionFormat) throws {
    let bomb = try Compressor.compress([UInt8](repeating: 0, count: 50_000_000), format)
    #expect(bomb.count < 60_000)
    var decompressor = try Decompressor(format, limit: 1_000_000)
    var output: [UInt8] = []
    for _ in 0..<2 {
      do {
        try decompressor.decompress(bomb, into: &output)
        Issue.record("the bomb was taken")
      } catch { #expect(error.code == .limitExceeded) }
    }
    #expect(output.count <= 1_000_000)
    let exact = try Compressor.compress([UInt8](repeating: 0, count: 1000), format)
    #expect(try Decompressor.decompress(exact, format, limit: 1000).count == 1000)
    let code = failure { () throws(CompressionError) in
      _ = try Decompressor.decompress(exact, format, limit: 999)
    }
    #expect(code == .limitExceeded)
  }

  @Test("cut, damaged and random input gets a typed error", arguments: formats)
  func damage(format: CompressionFormat) throws {
    let sample = Self.samples[2]
    let compressed = try Compressor.compress(sample, format)
    for end in 0..<compressed.count {
      let code = failure { () throws(CompressionError) in
        _ = try Decompressor.decompress(Array(compressed[..<end]), format, limit: 1000)
      }
      #expect(code == .truncated)
    }
    let extra = failure { () throws(CompressionError) in
      _ = try Decompressor.decompress(compressed + [0x41], format, limit: 1000)
    }
    #expect(extra == (format == .gzip ? .truncated : .malformed))
    let garbage = failure { () throws(CompressionError) in
      _ = try Decompressor.decompress(Array("not compressed at all".utf8), format, limit: 1000)
    }
    #expect(garbage == .malformed)
    var changed = compressed
    changed[compressed.count - 6] ^= 0x40
    let checksum = failure { () throws(CompressionError) in
      _ = try Decompressor.decompress(changed, format, limit: 1000)
    }
    #expect(checksum != nil)
    // A trap ends the process: the seed is told before.
    let seed = RandomSeed()
    print(seed)
    var generator = seed.generator
    for _ in 0..<2000 {
      var noisy = compressed
      noisy[Int.random(in: 0..<noisy.count, using: &generator)] =
        .random(in: 0...255, using: &generator)
      _ = try? Decompressor.decompress(noisy, format, limit: 1000)
    }
  }

  @Test("several gzip members in a row are one text, as the gzip program has it")
  func members() throws {
    let one = try Compressor.compress(Array("one ".utf8), .gzip)
    let two = try Compressor.compress(Array("two".utf8), .gzip)
    let text = try Decompressor.decompress(one + two, .gzip, limit: 100)
    #expect(text == Array("one two".utf8))
    let code = failure { () throws(CompressionError) in
      _ = try Decompressor.decompress(one + two, .gzip, limit: 6)
    }
    #expect(code == .limitExceeded)
  }
}
