internal import Encodings
internal import ProtoCodec
internal import RPC
internal import Schema

/// The logs of one machine: those of its services, and its kernel's, into which machined writes too.
struct LogService: Sendable {
  let node: SimulatedNode

  /// How often a reader that follows a log looks for more.
  private static let pollInterval = Duration.milliseconds(50)

  func register(in router: inout ServiceRouter) {
    router.handle(Talos.MachineServiceMethods.logs) {
      (request: Talos.LogsRequest, writer: ResponseWriter<Talos.Data>, _) in
      try await logs(request, writer)
    }
    router.handle(Talos.MachineServiceMethods.dmesg) {
      (request: Talos.DmesgRequest, writer: ResponseWriter<Talos.Data>, _) in
      let begin = request.tail ? await node.lines(of: "machined").last?.number ?? 0 : 0
      try await send("machined", after: begin, follows: request.follow, writer) {
        "user: warning: [\(Self.time($0))]: \($0.text)\n"
      }
    }
  }

  private func logs(
    _ request: Talos.LogsRequest, _ writer: ResponseWriter<Talos.Data>
  ) async throws {
    guard request.namespace == "system" || request.id == "kubelet" else {
      throw RPCError(.unknown, "container \"\(request.id)\" not found")
    }
    guard await node.hasLog(of: request.id) else {
      throw RPCError(.unknown, "log \"\(request.id)\" was not registered")
    }
    let all = await node.lines(of: request.id)
    let shown = request.tailLines < 0 ? all.count : Int(request.tailLines)
    let begin = all.dropLast(shown).last?.number ?? 0
    try await send(request.id, after: begin, follows: request.follow, writer) {
      "\(Self.time($0)) \($0.text)\n"
    }
  }

  private func send(
    _ service: String, after begin: UInt64, follows: Bool, _ writer: ResponseWriter<Talos.Data>,
    _ form: (MachineLog.Line) -> String
  ) async throws {
    var seen = begin
    while true {
      for line in await node.lines(of: service, after: seen) {
        var data = Talos.Data()
        data.bytes = Array(form(line).utf8)
        try await writer.write(data)
        seen = line.number
      }
      guard follows else { return }
      try await Task.sleep(for: Self.pollInterval)
    }
  }

  /// The time of a line as RFC 3339 has it, with all digits.
  private static func time(_ line: MachineLog.Line) -> String {
    RFC3339.text(
      secondsSince1970: line.time / 1_000_000_000,
      nanoseconds: Int32(line.time % 1_000_000_000), fraction: .nanoseconds)
  }
}

extension SimulatedNode {
  func lines(of service: String, after number: UInt64 = 0) -> [MachineLog.Line] {
    log.lines(of: service, after: number)
  }

  /// Whether the machine keeps a log under that name.
  func hasLog(of service: String) -> Bool {
    state.service(service) != nil || !log.lines(of: service).isEmpty
  }
}
