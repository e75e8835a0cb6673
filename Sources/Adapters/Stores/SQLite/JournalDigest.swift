import Orchestrator

/// A digest over all rows of the journal that changes with each row, whatever the number of rows.
///
/// `sum` is what is believed: the sum of the rows' elements, modulo 2^256, each of which only a holder of the
/// master key can make (an additive set hash, Bellare and Micciancio 1997). The other sums say which row is
/// wrong when a single one is, because people are told the row.
struct JournalDigest: Equatable {
  private(set) var count: UInt64 = 0
  private var sum: [UInt64] = [0, 0, 0, 0]
  /// The sum of all revisions.
  private var revisions: UInt64 = 0
  /// The sum of all revisions, each multiplied by its row's weight.
  private var weighted: UInt64 = 0
  /// All names, joined by exclusive or.
  private var names: [UInt8] = []

  /// Longer names are told of by their beginning.
  private static let nameLimit = 1024
  private static let fixedSize = 7 * 8

  init() {}

  mutating func insert(_ name: RowName, revision: Revision, element: [UInt8]) {
    count &+= 1
    var carry: UInt64 = 0
    for index in sum.indices {
      let (partial, first) = sum[index].addingReportingOverflow(element.number(at: index * 8))
      let (total, second) = partial.addingReportingOverflow(carry)
      sum[index] = total
      carry = first || second ? 1 : 0
    }
    revisions &+= revision
    weighted &+= revision &* Self.weight(name)
    join(name)
  }

  mutating func remove(_ name: RowName, revision: Revision, element: [UInt8]) {
    count &-= 1
    var borrow: UInt64 = 0
    for index in sum.indices {
      let (partial, first) = sum[index].subtractingReportingOverflow(element.number(at: index * 8))
      let (rest, second) = partial.subtractingReportingOverflow(borrow)
      sum[index] = rest
      borrow = first || second ? 1 : 0
    }
    revisions &-= revision
    weighted &-= revision &* Self.weight(name)
    join(name)
  }

  private mutating func join(_ name: RowName) {
    let bytes = name.bytes.prefix(Self.nameLimit)
    while names.count < bytes.count { names.append(0) }
    for (index, byte) in bytes.enumerated() { names[index] ^= byte }
  }

  /// An odd number that hardly two names share (FNV-1a).
  private static func weight(_ name: RowName) -> UInt64 {
    name.bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } | 1
  }

  // MARK: - Bytes

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for number in [count] + sum + [revisions, weighted] { bytes.append(number: number) }
    return bytes + names
  }

  init?(bytes: [UInt8]) {
    guard bytes.count >= Self.fixedSize, bytes.count <= Self.fixedSize + Self.nameLimit else {
      return nil
    }
    count = bytes.number(at: 0)
    sum = (1...4).map { bytes.number(at: $0 * 8) }
    revisions = bytes.number(at: 40)
    weighted = bytes.number(at: 48)
    names = Array(bytes[Self.fixedSize...])
  }

  // MARK: - What is wrong

  /// Whether the same rows are in both; trailing zeros of the names do not count.
  func agrees(with other: JournalDigest) -> Bool { sum == other.sum && count == other.count }

  /// In words, what makes `actual` differ from this digest.
  ///
  /// - Parameter rows: those that were found.
  func difference(from actual: JournalDigest, rows: [RowName: Revision]) -> String {
    let size = max(names.count, actual.names.count)
    func padded(_ bytes: [UInt8]) -> [UInt8] {
      bytes + Array(repeating: 0, count: size - bytes.count)
    }
    let joined = zip(padded(names), padded(actual.names)).map { $0 ^ $1 }
    switch actual.count &- count {
    case .max:
      if let name = RowName(bytes: joined), rows[name] == nil {
        return "\(name.description) is missing"
      }
    case 1:
      if let name = RowName(bytes: joined), rows[name] != nil {
        return "\(name.description) had been removed and was put back"
      }
    case 0 where joined.allSatisfy({ $0 == 0 }):
      let behind = revisions &- actual.revisions
      let suspects = rows.keys.filter {
        behind != 0 && behind &* Self.weight($0) == weighted &- actual.weighted
      }
      if suspects.count == 1, let name = suspects.first, let revision = rows[name] {
        return "\(name.description) is an old one, of revision \(revision) instead of "
          + "\(revision &+ behind)"
      }
    default: break
    }
    return "several rows are old ones, missing or put back (there are \(actual.count) of \(count))"
  }
}
