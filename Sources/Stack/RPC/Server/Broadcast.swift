internal import Synchronization

/// Messages for everyone who follows, each of them encoded once.
///
/// A handler that only passes on what others cause need not wake up for every message:
/// `ResponseWriter.follow` suspends it once, and what is sent goes onto the streams of all followers
/// where their connections live. Ten thousand watchers are then ten thousand frames, not ten thousand
/// tasks that take turns.
///
/// Followers get the messages that are sent after they began to follow, in order. Where a client, or an
/// event loop, does not keep up, at most `kept` messages wait. What a follower then gets is the history's
/// business; without a history, the messages before those are missed, never the newest.
public final class Broadcast<Message: Sendable>: Sendable {
  /// What stands for the messages that a follower has not got and the broadcast does not keep: of a broadcast of
  /// states, the present one of each thing that has changed.
  ///
  /// Given a version and a limit, a history answers with as many messages, the oldest first, that bring a follower
  /// up to date who has everything up to that version; fewer than the limit when nothing else is newer. Called on
  /// the followers' executors; must not block.
  public typealias History =
    @Sendable (_ after: UInt64, _ limit: Int) throws -> [(
      version: UInt64, message: EncodedMessage<Message>
    )]

  let queue: BroadcastQueue
  private let codec: MessageCodec<Message>

  /// - Parameters:
  ///   - codec: how the method of the followers writes its responses.
  ///   - kept: messages that may wait for a follower, at least one.
  ///   - version: that of the newest message which was sent before, to whomever; the first one here is newer.
  ///   - skips: whether a follower whose stream has no room is brought up to date by the history alone, although what
  ///     it has missed is kept: the newest state then comes sooner, and more is missed.
  ///   - history: asked for what is not kept, and for what a follower gets first that begins after a version.
  public init(
    codec: MessageCodec<Message>, kept: Int = 1024, version: UInt64 = 0, skips: Bool = false,
    history: History? = nil
  ) {
    self.codec = codec
    var untyped: BroadcastQueue.History?
    if let history {
      untyped = { version, limit in
        try history(version, limit).map { ($0.version, $0.message.shared) }
      }
    }
    queue = BroadcastQueue(kept: kept, version: version, skips: skips, history: untyped)
  }

  /// Sends a message to everyone who follows now. Returns before they have it.
  ///
  /// - Throws: what the codec throws. Once `finish` was called nothing happens.
  public func send(_ message: Message) throws {
    queue.append(try EncodedMessage(message, codec: codec).shared, at: nil)
  }

  /// Sends a message that other broadcasts may send too.
  ///
  /// - Parameter version: greater than that of every message before. Versions may leave numbers out.
  public func send(_ message: EncodedMessage<Message>, at version: UInt64) {
    queue.append(message.shared, at: version)
  }

  /// Ends every `follow`, of those who follow now once they have got what was sent before, and of those
  /// who begin later.
  ///
  /// - Parameter error: what they throw; nil lets them return.
  public func finish(throwing error: RPCError? = nil) { queue.finish(error) }

  /// How many calls follow at the moment.
  public var followerCount: Int { queue.followerCount }
}

/// A message encoded once, to be sent to many; the bytes are shared.
public struct EncodedMessage<Message: Sendable>: Sendable {
  let shared: BroadcastMessage

  /// - Throws: what the codec throws.
  public init(_ message: Message, codec: MessageCodec<Message>) throws {
    shared = BroadcastMessage(envelope: try codec.envelope(message)) {
      try $0.encode(message, codec)
    }
  }
}

/// A message of a broadcast. No generic type, as all that is done for each follower: that would look its
/// types up each time.
final class BroadcastMessage: Sendable {
  let envelope: [UInt8]
  /// What calls get that are written in another form.
  let encode: @Sendable (ServerCall) throws -> [UInt8]
  /// The envelope with the message in JSON, once a call has needed it.
  private let json = Mutex<[UInt8]?>(nil)

  init(envelope: [UInt8], encode: @escaping @Sendable (ServerCall) throws -> [UInt8]) {
    self.envelope = envelope
    self.encode = encode
  }

  /// The message as a call writes it. In the binary form and in JSON without compression, which browsers ask for, the
  /// bytes are the same for all calls.
  func bytes(for call: ServerCall) throws -> [UInt8] {
    let form = call.form
    if form.takesPlainEnvelopes { return envelope }
    guard form.takesJSONEnvelopes else { return try encode(call) }
    return try json.withLock { known in
      if let known { return known }
      let made = try encode(call)
      known = made
      return made
    }
  }
}
