/// Files in the format age-encryption.org/v1 (https://c2sp.org/age), in its binary form and with X25519 recipients: what
/// `age -r age1…` writes and `age -d -i FILE` opens.
public enum AgeFile {
  static let version = "age-encryption.org/"
  static let armor = "-----BEGIN AGE ENCRYPTED FILE-----"
  /// Bytes of a file key.
  static let keySize = 16

  /// Whether the bytes begin as an age file does, in either of its forms.
  public static func isOne(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: version.utf8) || bytes.starts(with: armor.utf8)
  }

  /// Encrypts the parts, one behind the other, to 1 to `AgeRecipient.limit` recipients: each of them opens the file alone.
  public static func encrypted(
    _ parts: [[UInt8]], to recipients: [AgeRecipient]
  ) throws(CryptoError) -> [UInt8] {
    precondition((1...AgeRecipient.limit).contains(recipients.count), "a file has recipients")
    let fileKey = SecretBytes(random: keySize)
    var stanzas: [AgeHeader.Stanza] = []
    for recipient in recipients { stanzas.append(try recipient.stanza(wrapping: fileKey)) }
    var file = try AgeHeader.written(stanzas, fileKey: fileKey)
    let nonce = Random.bytes(AgePayload.nonceSize)
    let size = parts.reduce(0) { $0 + $1.count }
    let chunks = size / AgePayload.chunkSize + 1
    file.reserveCapacity(file.count + nonce.count + size + chunks * AEAD.tagSize)
    file += nonce
    try AgePayload(fileKey: fileKey, nonce: nonce).seal(parts, onto: &file)
    return file
  }

  /// What a file holds.
  ///
  /// - Returns: the payload, whole and as it was encrypted, the caller's to wipe.
  /// - Throws: `.keyMismatch` when none of the identities is one of the file's recipients, `.sealBroken` when the file was
  ///   changed or cut off, `.malformed`, `.unsupported` for armor and for recipients of other types alone, `.limitExceeded`.
  public static func decrypted(
    _ file: [UInt8], by identities: [AgeIdentity]
  ) throws(CryptoError) -> [UInt8] {
    guard !file.starts(with: armor.utf8) else {
      throw CryptoError(
        .unsupported, "the age file is armored, which only age itself reads: age -d")
    }
    let header = try AgeHeader(file)
    let fileKey = try Self.fileKey(in: header, identities)
    guard try header.isAuthentic(fileKey) else {
      throw CryptoError(
        .sealBroken, "the header of the age file was changed: take another copy of it")
    }
    let rest = file[header.size...]
    guard rest.count >= AgePayload.nonceSize else {
      throw CryptoError(
        .sealBroken, "the age file ends before it is whole: take another copy of it")
    }
    return try AgePayload(fileKey: fileKey, nonce: Array(rest.prefix(AgePayload.nonceSize)))
      .open(rest.dropFirst(AgePayload.nonceSize))
  }

  private static func fileKey(
    in header: AgeHeader, _ identities: [AgeIdentity]
  ) throws(CryptoError) -> SecretBytes {
    let types = header.stanzas.map(\.type)
    // A passphrase is never one recipient among others.
    if types.contains(AgeHeader.Stanza.scrypt) {
      throw types.count == 1
        ? CryptoError(
          .unsupported, "the age file opens by a passphrase, which only age itself asks for: age -d"
        )
        : CryptoError(.malformed, "the header of the age file is damaged")
    }
    guard types.contains(AgeHeader.Stanza.x25519) else {
      throw CryptoError(
        .unsupported,
        "the age file has no X25519 recipient, and recipients of other types only age itself knows: age -d"
      )
    }
    for identity in identities {
      for stanza in header.stanzas {
        if let key = try identity.fileKey(in: stanza) { return key }
      }
    }
    throw CryptoError(
      .keyMismatch, "none of the identities is a recipient of the age file: give another identity")
  }
}
