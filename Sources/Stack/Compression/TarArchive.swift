/// Tar archives (POSIX ustar) of small files in memory.
///
/// Read are regular files, with long names in the pax and the GNU way; directories, links and
/// devices are skipped.
public enum TarArchive {
  public struct File: Sendable, Hashable {
    /// The path as it stands in the archive. It is not made safe for use on a disk.
    public var name: String
    /// Permission bits.
    public var mode: UInt32
    public var contents: [UInt8]

    public init(name: String, mode: UInt32 = 0o600, contents: [UInt8]) {
      self.name = name
      self.mode = mode
      self.contents = contents
    }
  }

  private static let blockSize = 512

  /// The regular files of an archive, in order.
  ///
  /// - Throws: `.malformed` for a header that is not one, `.truncated` when a file's bytes are
  ///   missing.
  public static func files(in archive: [UInt8]) throws(CompressionError) -> [File] {
    var files: [File] = []
    var position = 0
    var longName: String?
    while position + blockSize <= archive.count {
      let block = archive[position..<(position + blockSize)]
      if block.allSatisfy({ $0 == 0 }) { return files }
      let header = try TarHeader(block)
      let start = position + blockSize
      guard header.size <= archive.count - start else {
        throw CompressionError(.truncated, "the archive ends within the file \(header.name)")
      }
      let contents = archive[start..<(start + header.size)]
      switch header.kind {
      case UInt8(ascii: "0"), 0:
        files.append(
          File(name: longName ?? header.name, mode: header.mode, contents: Array(contents)))
        longName = nil
      case UInt8(ascii: "x"): longName = try paxPath(in: contents) ?? longName
      case UInt8(ascii: "L"): longName = text(contents)
      case UInt8(ascii: "g"): break
      default: longName = nil
      }
      position = start + (header.size + blockSize - 1) / blockSize * blockSize
    }
    guard position >= archive.count else {
      throw CompressionError(.truncated, "the archive ends within a header")
    }
    return files
  }

  /// An archive of `files`.
  ///
  /// - Throws: `.malformed` for a name that is empty or longer than 100 bytes.
  public static func archive(of files: [File]) throws(CompressionError) -> [UInt8] {
    var archive: [UInt8] = []
    for file in files {
      let header = TarHeader(
        name: file.name, mode: file.mode, size: file.contents.count, kind: UInt8(ascii: "0"))
      archive += try header.encoded()
      archive += file.contents
      let rest = file.contents.count % blockSize
      if rest > 0 { archive += [UInt8](repeating: 0, count: blockSize - rest) }
    }
    return archive + [UInt8](repeating: 0, count: 2 * blockSize)
  }

  /// The bytes up to the first zero, as text.
  static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The `path` record of a pax header: lines of `length key=value`.
  private static func paxPath(in bytes: ArraySlice<UInt8>) throws(CompressionError) -> String? {
    var path: String?
    var rest = bytes
    while !rest.isEmpty {
      guard let space = rest.firstIndex(of: 0x20),
        let length = Int(String(decoding: rest[rest.startIndex..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1, length <= rest.count
      else { throw CompressionError(.malformed, "a pax header has a record without a length") }
      let end = rest.startIndex + length
      let record = rest[(space + 1)..<(end - 1)]
      let key = Array("path=".utf8)
      if record.starts(with: key) {
        path = String(decoding: record.dropFirst(key.count), as: UTF8.self)
      }
      rest = rest[end...]
    }
    return path
  }
}
