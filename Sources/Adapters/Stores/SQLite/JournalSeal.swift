import Crypto
import Orchestrator

/// Vouches for the journal under keys that the master key gives: for each row, and for all of them together.
///
/// A row's code says that omnid wrote this record at this revision in this place. That the row is the newest
/// one of its place, and that none is missing, says the digest of all rows in the journal's head.
struct JournalSeal: Sendable {
  let sealer: Sealer
  /// Set once the master key has changed: records that come from memory hold keys that are sealed under one before.
  var resealing: Resealing?
  private let rows: MessageAuthenticator
  private let elements: MessageAuthenticator
  private let heads: MessageAuthenticator

  init(_ sealer: Sealer) throws(StoreError) {
    self.sealer = sealer
    do throws(CryptoError) {
      rows = try sealer.authenticator(for: "journal row 2")
      elements = try sealer.authenticator(for: "journal set 2")
      heads = try sealer.authenticator(for: "journal head 2")
    } catch {
      throw StoreError(.unavailable, "the store's keys cannot be derived: \(error.message)")
    }
  }

  func code(_ row: JournalRow) -> [UInt8] { rows.code(for: row.bytes) }

  /// - Throws: `.corrupt`, naming the row, when `code` is not the row's.
  func check(_ row: JournalRow, _ code: [UInt8]) throws(StoreError) {
    guard rows.accepts(code, for: row.bytes) else {
      throw .notWhole("\(row.name.description) was not written by omnid as it stands there")
    }
  }

  /// What a row with that code adds to the digest of all rows. Nobody without the key can know it, or look for
  /// rows that add up to a digest.
  func element(_ code: [UInt8]) -> [UInt8] { elements.code(for: code) }

  func code(_ head: JournalHead) -> [UInt8] { heads.code(for: head.bytes) }

  func accepts(_ code: [UInt8], for head: JournalHead) -> Bool {
    heads.accepts(code, for: head.bytes)
  }
}

extension StoreError {
  /// The journal was changed by somebody else than omnid, or not all of it is there.
  static func notWhole(_ problem: String) -> StoreError {
    StoreError(
      .corrupt,
      "the store is not whole: \(problem); stop whoever changes it, and restore it from a backup")
  }
}
