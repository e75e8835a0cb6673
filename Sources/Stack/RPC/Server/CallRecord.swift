internal import Encodings
internal import Synchronization

/// What is kept of a call for logs: its identifier, and what the code that serves the call says of it.
///
/// Few calls have one, because it is kept only where somebody asks for it (`ServerCall.beginRecord`). It is the
/// call's own; who keeps it longer than the call may.
public final class CallRecord: Sendable {
  public enum Value: Sendable, Hashable {
    case text(String)
    case number(Int64)
  }

  /// 16 hexadecimal digits. No other call of this process has the same, and none of another process, but for a chance of
  /// less than one in 10¹⁰.
  public let id = CallRecord.nextIdentifier()
  private let noted = Mutex<[(name: String, value: Value)]>([])

  public init() {}

  /// The metadata in which the identifier goes to the caller with the status: what proxies and services call it.
  public static let metadataName = "x-request-id"

  /// The first identifier of this process, and how many were given.
  private static let first = UInt64.random(in: .min ... .max)
  private static let given = Atomic<UInt64>(0)
  /// Odd, so that its multiples are all different (a Weyl sequence), and large, so that identifiers that follow each
  /// other have no common begin.
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func nextIdentifier() -> String {
    let count = given.wrappingAdd(1, ordering: .relaxed).oldValue
    return Hexadecimal.encode(first &+ count &* step, digits: 16)
  }

  /// Says something of the call. What was said before under the same name is replaced.
  public func note(_ name: String, _ value: Value) {
    noted.withLock { noted in
      if let known = noted.firstIndex(where: { $0.name == name }) {
        noted[known].value = value
      } else {
        noted.append((name, value))
      }
    }
  }

  /// What was said, in the order in which it was first said.
  public var notes: [(name: String, value: Value)] { noted.withLock { $0 } }
}

extension ServerCall {
  /// The call's record; nil for a call of which none is kept.
  public var record: CallRecord? { extras?.record }

  /// Begins to keep a record of the call, if none is kept yet, and tells its caller the identifier with the status. To be
  /// called by interceptors and handlers alone: by what runs one after another.
  @discardableResult
  public func beginRecord() -> CallRecord {
    let extras = makeExtras()
    if let record = extras.record { return record }
    let record = CallRecord()
    extras.record = record
    addTrailingMetadata(Metadata([CallRecord.metadataName: record.id]))
    return record
  }

  /// What the call was given when it came: the shorter one of what its caller and its method allow. Nil when neither
  /// names a time.
  public var timeout: Duration? { resolved.timeout }
}
