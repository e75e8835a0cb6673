import Backup
import Crypto
import Testing

@Suite struct BackupTests {
  private let master = SecretBytes(random: 32)
  private let passphrase = SecretBytes(copying: Array("correct horse battery".utf8))
  private let store = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
  /// The smallest that is accepted: tests are many.
  private let cost: UInt8 = 14

  private func sealer() throws -> Sealer { try Sealer(masterKey: master) }

  private func made(_ store: [UInt8]) throws -> [UInt8] {
    let sealer = try sealer()
    return try Backup(madeAt: 1_795_000_000, release: "1.2.3", store: store)
      .locked(with: .master(sealer), keyID: sealer.keyID)
  }

  private func madeWithPassphrase() throws -> [UInt8] {
    try Backup(madeAt: 7, release: "1.2.3", masterKey: master, store: [1, 2, 3])
      .locked(with: .passphrase(passphrase), keyID: sealer().keyID, cost: cost)
  }

  private func code(_ body: () throws -> Void) -> BackupError.Code? {
    do {
      try body()
      return nil
    } catch { return (error as? BackupError)?.code }
  }

  @Test(
    "A backup opens by the master key, and does not hold it", arguments: [0, 1, 1 << 20, 2_500_000])
  func roundTrip(size: Int) throws {
    let bytes = try made(Array(store.prefix(size)))
    let header = try BackupHeader(bytes)
    #expect(header.lock == .masterKey && header.madeAt == 1_795_000_000)
    let keyID = try sealer().keyID
    #expect(header.keyID == keyID)
    let opened = try Backup(bytes, key: .master(sealer()))
    #expect(opened.store == Array(store.prefix(size)))
    #expect(opened.release == "1.2.3" && opened.masterKey == nil)
  }

  @Test("A backup with a passphrase opens by it alone, and holds the master key")
  func passphraseRoundTrip() throws {
    let bytes = try madeWithPassphrase()
    let opened = try Backup(bytes, key: .passphrase(passphrase))
    #expect(opened.store == [1, 2, 3])
    #expect(try #require(opened.masterKey).isEqual(to: master))
    let other = SecretBytes(copying: Array("correct horse batterx".utf8))
    #expect(code { _ = try Backup(bytes, key: .passphrase(other)) } == .notAuthentic)
    #expect(code { _ = try Backup(bytes, key: .master(sealer())) } == .otherLock)
  }

  @Test("Another master key is told of by its id")
  func otherKey() throws {
    let bytes = try made([1])
    let other = try Sealer(masterKey: SecretBytes(random: 32))
    #expect(code { _ = try Backup(bytes, key: .master(other)) } == .otherLock)
    #expect(code { _ = try Backup(bytes, key: .passphrase(passphrase)) } == .otherLock)
  }

  @Test("Neither store nor key stands in the file in clear")
  func secrecy() throws {
    let text = Array("a record that would be read".utf8)
    let bytes = try Backup(madeAt: 7, release: "1", masterKey: master, store: text)
      .locked(with: .passphrase(passphrase), keyID: sealer().keyID, cost: cost)
    func holds(_ needle: [UInt8]) -> Bool {
      bytes.indices.contains { bytes[$0...].starts(with: needle) }
    }
    #expect(!holds(text) && !holds(master.copy()) && !holds(passphrase.copy()))
  }

  @Test("A file that was cut off anywhere is refused")
  func truncation() throws {
    let bytes = try made(Array(store.prefix(2_200_000)))
    let ends = [0, 1, 14, 15, 64, 65, 66, 69, 200, 1_049_000, bytes.count - 1]
    for end in ends {
      #expect(code { _ = try Backup(Array(bytes.prefix(end)), key: .master(sealer())) } != nil)
    }
    // Behind a whole record: at each boundary of one.
    var boundary = 65
    while boundary < bytes.count {
      let cut = Array(bytes.prefix(boundary))
      #expect(code { _ = try Backup(cut, key: .master(sealer())) } == .truncated)
      let length = bytes[boundary..<boundary + 4].reduce(0) { $0 << 8 | Int($1) }
      boundary += 4 + length
    }
    #expect(boundary == bytes.count)
  }

  @Test("A file of which any byte was changed is refused")
  func tampering() throws {
    let bytes = try made([1, 2, 3, 4])
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      #expect(
        code { _ = try Backup(changed, key: .master(sealer())) } != nil, "byte \(index)")
    }
  }

  @Test("Records that were put in another order, taken out or added are refused")
  func reordering() throws {
    let bytes = try made(Array(store.prefix(3 << 20)))
    var records: [[UInt8]] = []
    var rest = bytes.dropFirst(65)
    while !rest.isEmpty {
      let length = 4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      records.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    try #require(records.count == 4)
    let header = Array(bytes.prefix(65))
    for order in [
      [0, 2, 1, 3], [0, 1, 3], [0, 1, 2, 3, 3], [0, 3], [1, 2, 3], [0, 1, 1, 2, 3],
    ] {
      let changed = header + order.flatMap { records[$0] }
      #expect(code { _ = try Backup(changed, key: .master(sealer())) } != nil, "\(order)")
    }
    // A record of another backup under the same key.
    let other = try made(Array(store.prefix(3 << 20)))
    let mixed = header + Array(other.dropFirst(65))
    #expect(code { _ = try Backup(mixed, key: .master(sealer())) } == .notAuthentic)
  }

  // MARK: - For age

  /// The identity of the specification's example.
  private func identities() throws -> [AgeIdentity] {
    try AgeIdentity.list(
      in: Array("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX".utf8))
  }

  private func madeForAge(_ store: [UInt8]) throws -> [UInt8] {
    try Backup(madeAt: 1_795_000_000, release: "1.2.3", masterKey: master, store: store)
      .encrypted(to: identities().map(\.recipient), keyID: sealer().keyID)
  }

  @Test(
    "A backup for age opens by an identity, and holds the master key", arguments: [0, 1, 2_500_000])
  func ageRoundTrip(size: Int) throws {
    let file = try madeForAge(Array(store.prefix(size)))
    #expect(AgeFile.isOne(file))
    #expect(!file.indices.contains { file[$0...].starts(with: master.copy()) })
    let bytes = try Backup.decrypted(file, by: identities())
    #expect(try BackupHeader(bytes).lock == .age)
    let opened = try Backup(opened: bytes)
    #expect(opened.store == Array(store.prefix(size)))
    #expect(opened.release == "1.2.3" && opened.madeAt == 1_795_000_000)
    #expect(try #require(opened.masterKey).isEqual(to: master))
    // No other key opens it.
    #expect(code { _ = try Backup(bytes, key: .master(sealer())) } == .otherLock)
    #expect(code { _ = try Backup(bytes, key: .passphrase(passphrase)) } == .otherLock)
    #expect(code { _ = try Backup(file, key: .passphrase(passphrase)) } == .unknown)
  }

  @Test("What age has opened is refused when any byte of it was changed, cut off or added")
  func openedTampering() throws {
    let bytes = try Backup.decrypted(madeForAge([1, 2, 3, 4]), by: identities())
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      #expect(code { _ = try Backup(opened: changed) } != nil, "byte \(index)")
      #expect(code { _ = try Backup(opened: Array(bytes.prefix(index))) } != nil, "\(index) bytes")
    }
    #expect(code { _ = try Backup(opened: bytes + [0]) } == .notAuthentic)
    #expect(code { _ = try Backup(opened: made([1])) } == .otherLock)
  }

  @Test("Why an age file does not open is told as it is of other backups")
  func ageRefusals() throws {
    let file = try madeForAge([1])
    let other = try AgeIdentity.list(
      in: Array("AGE-SECRET-KEY-1\(String(repeating: "Q", count: 52))8H00W3".utf8))
    #expect(code { _ = try Backup.decrypted(file, by: other) } == .otherLock)
    var changed = file
    changed[changed.count - 1] ^= 1
    #expect(code { _ = try Backup.decrypted(changed, by: identities()) } == .notAuthentic)
    #expect(
      code { _ = try Backup.decrypted(Array(file.dropLast()), by: identities()) } == .notAuthentic)
    #expect(code { _ = try Backup.decrypted(Array(file.prefix(60)), by: identities()) } == .unknown)
  }

  @Test("A cost that would take all memory is refused before it is tried")
  func excessiveCost() throws {
    var bytes = try madeWithPassphrase()
    bytes[16] = 40
    #expect(code { _ = try Backup(bytes, key: .passphrase(passphrase)) } == .notAuthentic)
    #expect(throws: CryptoError.self) {
      try PassphraseKey.derive(passphrase, salt: [], cost: 21)
    }
  }
}
