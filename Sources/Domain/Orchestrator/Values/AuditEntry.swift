public import Rotation

/// What the audit log tells of a call: that it began, or how it ended.
public struct AuditEvent: Sendable, Hashable {
  /// The index of the entry that tells of the call's beginning; 0 in that entry itself.
  public var call: UInt64
  /// Who called, as the server knows the caller: `uid:1000` on a Unix socket.
  public var caller: String
  /// The method's name, as in `RotateSecret`.
  public var method: String
  /// The cluster that the request names; empty where it names none.
  public var cluster: String
  /// What was asked for, without anything secret: `component=talos-ca reason="a laptop was lost"`.
  public var request: String
  /// How the call ended, by the name of the gRPC status: `OK`, `FAILED_PRECONDITION`. Empty where it began.
  public var code: String
  /// Why it was refused, or what came of it.
  public var message: String

  /// The longest request and message, in UTF-8 bytes; longer ones are cut.
  public static let textLimit = 1024
  /// The longest of the other texts.
  public static let nameLimit = 256

  public init(
    call: UInt64 = 0, caller: String, method: String, cluster: String, request: String,
    code: String = "", message: String = ""
  ) {
    self.call = call
    self.caller = caller.bounded(to: Self.nameLimit)
    self.method = method.bounded(to: Self.nameLimit)
    self.cluster = cluster.bounded(to: Self.nameLimit)
    self.request = request.bounded(to: Self.textLimit)
    self.code = code.bounded(to: Self.nameLimit)
    self.message = message.bounded(to: Self.textLimit)
  }

  /// That the call ended.
  ///
  /// - Parameter begun: the index of the entry that tells of its beginning.
  public func ended(_ begun: UInt64, code: String, message: String) -> AuditEvent {
    AuditEvent(
      call: begun, caller: caller, method: method, cluster: cluster, request: request, code: code,
      message: message)
  }
}

/// An event in its place in the audit log.
public struct AuditEntry: Sendable, Hashable {
  /// From 1, without gaps.
  public var index: UInt64
  public var recordedAt: Instant
  public var event: AuditEvent
  /// The hash of the entry before; empty for the first there ever was.
  public var previous: [UInt8]
  /// What chains the entry to all before it: 32 bytes.
  public var hash: [UInt8]

  public init(
    index: UInt64, recordedAt: Instant, event: AuditEvent, previous: [UInt8], hash: [UInt8]
  ) {
    self.index = index
    self.recordedAt = recordedAt
    self.event = event
    self.previous = previous
    self.hash = hash
  }

  /// What the hash vouches for, in this order.
  public var parts: [String] {
    [
      "\(index)", "\(recordedAt.nanosecondsSince1970)", "\(event.call)", event.caller,
      event.method, event.cluster, event.request, event.code, event.message,
    ]
  }
}
