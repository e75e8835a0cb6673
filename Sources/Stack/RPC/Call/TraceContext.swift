internal import Encodings

/// The W3C trace context of a call: which trace it belongs to, and which span made it.
public struct TraceContext: Sendable, Equatable {
  public var traceID: [UInt8]
  public var spanID: [UInt8]
  public var flags: UInt8
  /// `tracestate`, handed on as it came.
  public var state: String?

  /// The trace that the current task works for.
  @TaskLocal public static var current: TraceContext?

  public init(traceID: [UInt8], spanID: [UInt8], flags: UInt8, state: String? = nil) {
    self.traceID = traceID
    self.spanID = spanID
    self.flags = flags
    self.state = state
  }

  /// Reads `traceparent` (W3C Trace Context, section 3.2); nil when it is malformed or all zero.
  public init?(traceparent: String, state: String? = nil) {
    let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].count == 2, parts[0] != "ff",
      let traceID = Self.bytes(parts[1], count: 16), let spanID = Self.bytes(parts[2], count: 8),
      let flags = Self.bytes(parts[3], count: 1), parts[0] != "00" || parts.count == 4,
      traceID.contains(where: { $0 != 0 }), spanID.contains(where: { $0 != 0 })
    else { return nil }
    self.init(traceID: traceID, spanID: spanID, flags: flags[0], state: state)
  }

  public var traceparent: String {
    "00-\(Hexadecimal.encode(traceID))-\(Hexadecimal.encode(spanID))-\(Hexadecimal.encode([flags]))"
  }

  /// The trace's identifier, 32 hexadecimal digits.
  public var traceIDText: String { Hexadecimal.encode(traceID) }

  /// A new span of the same trace, or of a new one.
  public static func child(of parent: TraceContext?) -> TraceContext {
    func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
    var child = parent ?? TraceContext(traceID: random(16), spanID: [], flags: 0)
    child.spanID = random(8)
    return child
  }

  private static func bytes(_ text: Substring, count: Int) -> [UInt8]? {
    text.utf8.count == 2 * count ? Hexadecimal.decode(text, .lower) : nil
  }
}

/// Carries the trace context over calls: a handler's task gets its caller's, and the calls it makes
/// pass it on.
public struct TraceInterceptor: ServerInterceptor, ClientInterceptor {
  public init() {}

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let metadata = call.metadata
    let parent = metadata["traceparent"].flatMap {
      TraceContext(traceparent: $0, state: metadata["tracestate"])
    }
    try await TraceContext.$current.withValue(.child(of: parent)) { try await next() }
  }

  public func intercept(
    path: String, options: CallOptions, next: (CallOptions) async throws -> Void
  ) async throws {
    var options = options
    let context = TraceContext.child(of: TraceContext.current)
    options.metadata.append("traceparent", context.traceparent)
    if let state = context.state { options.metadata.append("tracestate", state) }
    try await next(options)
  }
}
