/// What an age file holds, in pieces of 64 KiB that are encrypted one by one (https://c2sp.org/age, "Payload").
struct AgePayload {
  static let chunkSize = 64 << 10
  /// Bytes of the nonce before the first piece.
  static let nonceSize = 16

  private let key: SecretBytes

  /// - Parameter nonce: random, and another one for each file.
  init(fileKey: SecretBytes, nonce: [UInt8]) throws(CryptoError) {
    key = try KeyDerivation.key(from: fileKey, purpose: Array("payload".utf8), salt: nonce)
  }

  /// Puts the parts, one behind the other, onto the end of a file.
  func seal(_ parts: [[UInt8]], onto file: inout [UInt8]) throws(CryptoError) {
    var chunk: [UInt8] = []
    chunk.reserveCapacity(Self.chunkSize)
    defer { chunk.wipe() }
    var index: UInt64 = 0
    for part in parts {
      var start = 0
      while start < part.count {
        // Not before more comes: only a payload of no bytes has a last piece of none.
        if chunk.count == Self.chunkSize {
          file += try sealed(chunk, index, isLast: false)
          index += 1
          chunk.wipe()
          chunk.removeAll(keepingCapacity: true)
        }
        let end = min(part.count, start + Self.chunkSize - chunk.count)
        chunk += part[start..<end]
        start = end
      }
    }
    file += try sealed(chunk, index, isLast: true)
  }

  /// - Parameter sealed: the pieces, to the end of the file.
  /// - Returns: the payload, the caller's to wipe.
  /// - Throws: `.sealBroken` unless every piece is there, and as it was written.
  func open(_ sealed: ArraySlice<UInt8>) throws(CryptoError) -> [UInt8] {
    var payload: [UInt8] = []
    // At once, because what is moved while it grows stays behind.
    payload.reserveCapacity(sealed.count)
    var isWhole = false
    defer { if !isWhole { payload.wipe() } }
    var rest = sealed
    var index: UInt64 = 0
    repeat {
      let chunk = Array(rest.prefix(Self.chunkSize + AEAD.tagSize))
      rest = rest.dropFirst(chunk.count)
      guard chunk.count >= AEAD.tagSize else { throw Self.endsEarly }
      guard chunk.count > AEAD.tagSize || index == 0 else { throw Self.changed }
      guard var opened = try self.opened(chunk, index, isLast: rest.isEmpty) else {
        guard rest.isEmpty, var early = try self.opened(chunk, index, isLast: false) else {
          throw Self.changed
        }
        early.wipe()
        throw Self.endsEarly
      }
      payload += opened
      opened.wipe()
      index += 1
    } while !rest.isEmpty
    isWhole = true
    return payload
  }

  /// One piece.
  func sealed(
    _ chunk: [UInt8], _ index: UInt64, isLast: Bool
  ) throws(CryptoError) -> [UInt8] {
    try AEAD.chaCha20Poly1305.seal(chunk.span, key: key, nonce: Self.nonce(index, isLast))
  }

  private func opened(
    _ chunk: [UInt8], _ index: UInt64, isLast: Bool
  ) throws(CryptoError) -> [UInt8]? {
    try AEAD.chaCha20Poly1305.open(chunk, key: key, nonce: Self.nonce(index, isLast))
  }

  /// A counter of 11 bytes in network order, and whether the piece is the last one.
  private static func nonce(_ index: UInt64, _ isLast: Bool) -> [UInt8] {
    [0, 0, 0] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: index >> $0) }
      + [isLast ? 1 : 0]
  }

  private static let endsEarly = CryptoError(
    .sealBroken, "the age file ends before it is whole: take another copy of it")
  private static let changed = CryptoError(
    .sealBroken, "the age file was changed: take another copy of it")
}
