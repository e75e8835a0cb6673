import Crypto
import JournalCoding
import Orchestrator
import ProtoCodec
import Rotation
import Schema

/// What a store of release 0.1.0 (schema version 1) becomes: each key sealed anew, for its place.
///
/// Release 0.1.0 sealed a key for its certificate alone, and vouched for no row. What it left is believed once:
/// whether somebody had changed it before cannot be known, but that no key was moved to another
/// certificate.
struct Takeover {
  let seal: JournalSeal
  /// Sealed anew, by cluster and certificate, so that the same authority is the same in every record.
  private var sealed: [String: Journal.Authority] = [:]
  /// The rotation that made an authority, by cluster and certificate.
  private var makers: [String: String] = [:]

  init(_ seal: JournalSeal) { self.seal = seal }

  /// All rows, as they are to be. Changes nothing.
  ///
  /// - Throws: `.incompatible` for another master key; `.corrupt`, naming the row, for a key that does not open.
  mutating func rows(_ connection: borrowing Connection) throws(StoreError) -> [JournalRow] {
    var clusters: [(row: JournalRow, record: Journal.ClusterRecord)] = []
    var rotations: [(row: JournalRow, record: Journal.RotationRecord)] = []
    let foundClusters = try connection.prepare("SELECT name, '', 0, revision, record FROM clusters")
    while try foundClusters.step() {
      let row = foundClusters.row(.clusters).row
      clusters.append((row, try decoded(Journal.ClusterRecord.self, row.record)))
    }
    let foundRotations = try connection.prepare(
      "SELECT cluster, id, ordinal, revision, record FROM rotations ORDER BY ordinal")
    while try foundRotations.step() {
      let row = foundRotations.row(.rotations).row
      let record = try decoded(Journal.RotationRecord.self, row.record)
      if let new = record.new { makers["\(record.cluster)/\(new.fingerprint)"] = record.id }
      rotations.append((row, record))
    }
    var rows: [JournalRow] = []
    for (row, found) in clusters {
      var (row, record) = (row, found)
      for index in record.authorities.indices {
        let component = record.authorities[index].component
        let authority = try record.authorities[index].authority.required("authority")
        record.authorities[index].authority = try resealed(authority, component, row.name)
      }
      row.record = record.serialized()
      rows.append(row)
    }
    for (row, found) in rotations {
      var (row, record) = (row, found)
      record.old = try resealed(record.old.required("old"), record.component, row.name)
      record.new = try resealed(record.new.required("new"), record.component, row.name)
      row.record = record.serialized()
      rows.append(row)
    }
    let requests = try connection.prepare("SELECT cluster, id, ordinal, 0, record FROM requests")
    while try requests.step() { rows.append(requests.row(.requests).row) }
    return rows
  }

  private mutating func resealed(
    _ authority: Journal.Authority, _ component: Journal.Component, _ row: RowName
  ) throws(StoreError) -> Journal.Authority {
    let place = "\(row.cluster)/\(authority.fingerprint)"
    if let known = sealed[place] {
      guard known.component == component else {
        throw .notWhole("\(row.description) holds a CA of another component")
      }
      return known
    }
    let found = Sealer.keyID(of: authority.sealedKey) ?? "unknown"
    guard found == seal.sealer.keyID else {
      throw .foreignKey("cluster '\(row.cluster)'", found, seal)
    }
    let binding = AuthorityBinding(
      cluster: row.cluster, component: try component.component(), rotation: makers[place] ?? "")
    do throws(CryptoError) {
      let key = try seal.sealer.open(
        authority.sealedKey, context: "authority \(authority.fingerprint)")
      let certificate = try Certificate(pem: authority.certificatePEM)
      guard certificate.fingerprint == authority.fingerprint,
        try PrivateKey(pem: key).matches(certificate)
      else { throw CryptoError(.keyMismatch, "key and certificate do not belong together") }
      let context = binding.sealingContext(fingerprint: authority.fingerprint)
      let anew = Journal.Authority(
        SealedAuthority(
          certificatePEM: authority.certificatePEM, fingerprint: authority.fingerprint,
          sealedKey: try seal.sealer.seal(key, context: context), binding: binding))
      sealed[place] = anew
      return anew
    } catch {
      throw .notWhole(
        "the \(binding.component.rawValue) in \(row.description) is not what omnid wrote "
          + "(\(error.message))")
    }
  }
}
