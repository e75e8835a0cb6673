internal import Crypto
internal import ProtoCodec
internal import RPC
internal import RPCTransport
internal import Schema
internal import Synchronization

/// A control plane's connections to the apids of other machines, over which it passes calls on under
/// its own certificate.
final class ApidProxy: Sendable {
  private struct State {
    var context: TLSContext?
    var channels: [String: SocketChannel] = [:]
    /// Until when calls fail because certificates were just replaced.
    var outageEnds: ContinuousClock.Instant?
  }

  private let state = Mutex(State())
  private let port: Int
  private let authority: String

  init(authority: String, port: Int) {
    self.authority = authority
    self.port = port
  }

  /// New certificates: the connections made with the old ones are gone.
  ///
  /// - Parameter client: nil on a machine that does not forward.
  func reload(client: TLSContext?, outage: Duration) {
    let old = state.withLock { state in
      state.context = client
      if outage > .zero { state.outageEnds = .now + outage }
      defer { state.channels = [:] }
      return state.channels.values.map { $0 }
    }
    Self.close(old)
  }

  /// apid went away for a moment.
  func interrupt(outage: Duration) {
    let old = state.withLock { state in
      state.outageEnds = .now + outage
      defer { state.channels = [:] }
      return state.channels.values.map { $0 }
    }
    Self.close(old)
  }

  private static func close(_ channels: [SocketChannel]) {
    for channel in channels { channel.close() }
  }

  /// Passes a call on to one machine, message by message, both ways.
  func forward(
    _ requests: RequestStream<[UInt8]>, _ writer: ResponseWriter<[UInt8]>, _ call: ServerCall,
    path: String, to target: String, roles: Set<String>
  ) async throws {
    let channel = try channel(to: target)
    try await RPCClient(channel).bidirectional(
      Self.method(path), options: options(call, roles: roles)
    ) { outgoing, responses in
      async let sending: Void = Self.send(requests, to: outgoing)
      for try await response in responses { try await writer.write(response) }
      try? await sending
    }
  }

  private static func send(
    _ requests: RequestStream<[UInt8]>, to outgoing: RequestWriter<[UInt8]>
  ) async throws {
    for try await request in requests { try await outgoing.write(request) }
    try await outgoing.finish()
  }

  /// Passes a unary call on to several machines and joins their answers into one message, each with
  /// the machine's address in its metadata; a failure becomes an entry of its own.
  func aggregate(
    _ requests: RequestStream<[UInt8]>, _ writer: ResponseWriter<[UInt8]>, _ call: ServerCall,
    path: String, to targets: [String], roles: Set<String>
  ) async throws {
    var request: [UInt8] = []
    for try await message in requests { request = message }
    let message = request
    let options = options(call, roles: roles)
    let answers = await withTaskGroup(of: (Int, [UInt8]).self) { group in
      for (index, target) in targets.enumerated() {
        group.addTask {
          do {
            let answer = try await self.ask(target, path: path, message, options: options)
            return (index, AggregatedAnswer.mark(answer, hostname: target))
          } catch {
            return (index, AggregatedAnswer.failure(error, hostname: target))
          }
        }
      }
      var found: [(Int, [UInt8])] = []
      for await answer in group { found.append(answer) }
      return found.sorted { $0.0 < $1.0 }
    }
    try await writer.write(answers.flatMap(\.1))
  }

  private func ask(
    _ target: String, path: String, _ message: [UInt8], options: CallOptions
  ) async throws -> [UInt8] {
    let channel = try channel(to: target)
    return try await RPCClient(channel).bidirectional(Self.method(path), options: options) {
      outgoing, responses in
      try await outgoing.write(message)
      try await outgoing.finish()
      var answer: [UInt8] = []
      for try await response in responses { answer += response }
      return answer
    }
  }

  private func options(_ call: ServerCall, roles: Set<String>) -> CallOptions {
    var metadata = Metadata()
    let own: Set = ["node", "nodes", AccessRules.roleMetadata, AccessRules.proxiedMetadata]
    for (key, value) in call.metadata.entries where !own.contains(key) {
      switch value {
      case .text(let text): metadata.append(key, text)
      case .binary(let bytes): metadata.appendBinary(key, bytes)
      }
    }
    for role in roles.sorted() { metadata.append(AccessRules.roleMetadata, role) }
    metadata.append(AccessRules.proxiedMetadata, authority)
    return CallOptions(metadata: metadata, responseMessageBytes: 32 << 20)
  }

  private static func method(_ path: String) -> RPC.Method<[UInt8], [UInt8]> {
    let parts = path.split(separator: "/").map(String.init)
    return RPC.Method(
      service: parts.first ?? "", name: parts.count > 1 ? parts[1] : "",
      kind: .bidirectionalStreaming, request: .bytes, response: .bytes)
  }

  private func channel(to target: String) throws(RPCError) -> SocketChannel {
    if target.isEmpty { throw RPCError(.internalError, "invalid target \"\"") }
    return try state.withLock { state throws(RPCError) in
      if let ends = state.outageEnds, ends > .now {
        throw RPCError(
          .unavailable, "connection error: desc = \"transport is closing\"")
      }
      guard let context = state.context else {
        throw RPCError(.permissionDenied, "no request forwarding")
      }
      if let channel = state.channels[target] { return channel }
      var configuration = ChannelConfiguration()
      configuration.backoff = .eager
      let channel = try SocketChannel(
        .tls(host: target, port: port), tls: context, serverName: target,
        configuration: configuration)
      state.channels[target] = channel
      return channel
    }
  }
}

/// The answers of several machines as one message. Every answer has its content in field 1, repeated,
/// and that content has a field 1 of its own for `common.Metadata`; so messages can be joined and
/// marked without knowing their types.
enum AggregatedAnswer {
  static func mark(_ answer: [UInt8], hostname: String) -> [UInt8] {
    var metadata = Talos.Metadata()
    metadata.hostname = hostname
    guard let content = content(of: answer) else {
      return failure(
        RPCError(.internalError, "unexpected message format"), hostname: hostname)
    }
    return field(1, Array(content) + field(1, metadata.serialized()))
  }

  static func failure(_ error: any Error, hostname: String) -> [UInt8] {
    let error = error as? RPCError ?? RPCError(.unknown, "the call failed")
    var metadata = Talos.Metadata()
    metadata.hostname = hostname
    metadata.error = "rpc error: code = \(error.code) desc = \(error.message)"
    var status = GoogleRPC.Status()
    status.code = Int32(error.code.rawValue)
    status.message = error.message
    metadata.status = status
    return field(1, field(1, metadata.serialized()))
  }

  /// The bytes of the first field, which has to be number 1 with a length; an empty answer counts as
  /// an empty one.
  private static func content(of answer: [UInt8]) -> ArraySlice<UInt8>? {
    guard answer.first == 0x0A else { return nil }
    var length = 0
    var shift = 0
    for (index, byte) in answer.dropFirst().enumerated() {
      length |= Int(byte & 0x7F) << shift
      shift += 7
      if byte & 0x80 == 0 {
        let start = index + 2
        return start + length <= answer.count ? answer[start..<start + length] : nil
      }
      if shift > 28 { return nil }
    }
    return nil
  }

  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [number << 3 | 2]
    var length = bytes.count
    while length >= 0x80 {
      out.append(UInt8(length & 0x7F) | 0x80)
      length >>= 7
    }
    out.append(UInt8(length))
    return out + bytes
  }
}
