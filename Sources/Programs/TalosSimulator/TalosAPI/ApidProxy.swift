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
  private let resolve: @Sendable (String) async -> String?

  /// - Parameter resolve: the address behind a host name of the cluster's network; nil for a name that
  ///   is none of it.
  init(authority: String, port: Int, resolve: @escaping @Sendable (String) async -> String?) {
    self.authority = authority
    self.port = port
    self.resolve = resolve
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
    let channel = try await channel(to: target)
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

  /// Passes a call on to several machines and their messages back as they come, each with the
  /// machine's address in its metadata; a failure becomes a message, and the call itself succeeds.
  func aggregateStream(
    _ requests: RequestStream<[UInt8]>, _ writer: ResponseWriter<[UInt8]>, _ call: ServerCall,
    path: String, to targets: [String], roles: Set<String>
  ) async throws {
    var request: [UInt8] = []
    for try await message in requests { request = message }
    let message = request
    let options = options(call, roles: roles)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for target in targets {
        group.addTask {
          do {
            let channel = try await self.channel(to: target)
            try await RPCClient(channel).bidirectional(Self.method(path), options: options) {
              outgoing, responses in
              try await outgoing.write(message)
              try await outgoing.finish()
              for try await response in responses {
                try await writer.write(AggregatedAnswer.markMessage(response, hostname: target))
              }
            }
          } catch {
            try await writer.write(AggregatedAnswer.failureMessage(error, hostname: target))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func ask(
    _ target: String, path: String, _ message: [UInt8], options: CallOptions
  ) async throws -> [UInt8] {
    let channel = try await channel(to: target)
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

  private func channel(to target: String) async throws(RPCError) -> SocketChannel {
    let address = await resolve(target) ?? target
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
        .tls(host: address, port: port), tls: context, serverName: target,
        configuration: configuration)
      state.channels[target] = channel
      return channel
    }
  }
}
