import Crypto
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

/// Calls to one machine, directly or through a control plane.
///
/// What the answers hold of private keys is dropped here, but for `keyPair` of the root secrets, which
/// only an import asks for.
struct TalosClient: Sendable {
  let rpc: RPCClient
  /// The machine's address when the connection leads to a control plane that passes calls on.
  let node: String?
  let timeout: Duration
  /// When the machine that is meant has shown its identity; nil where that was not asked for.
  var identifiedAt: ContinuousClock.Instant?

  /// Talos' own limit of a message.
  private static let messageBytes = 32 << 20
  private static let fileBytes = 1 << 20
  /// What is kept of one list.
  static let listBytes = 32 << 20

  private var options: CallOptions {
    var options = CallOptions(timeout: timeout, responseMessageBytes: Self.messageBytes)
    if let node { options.metadata.append("node", node) }
    return options
  }

  /// What came of a call that runs beside others, with its error's type.
  static func outcome<Value: Sendable>(
    _ call: @Sendable () async throws(TalosFailure) -> Value
  ) async -> Result<Value, TalosFailure> {
    do throws(TalosFailure) { return .success(try await call()) } catch { return .failure(error) }
  }

  /// The same of a resource.
  func outcome<Spec: Message>(
    of resource: TalosResource<Spec>
  ) async -> Result<Spec?, TalosFailure> {
    await Self.outcome { () async throws(TalosFailure) in try await get(resource) }
  }

  /// The tag of the Talos version that runs.
  func version() async throws(TalosFailure) -> String {
    let action = "ask for the version"
    let response = try await unary(Talos.MachineServiceMethods.version, Empty(), action)
    guard let message = response.messages.first else { throw empty(action) }
    try check(message.metadata, action)
    return message.version?.tag ?? ""
  }

  /// The identity of the machine that answers; nil where it shows none.
  func identity() async throws(TalosFailure) -> String? {
    guard let text = try await get(.identity)?.nodeID, !text.isEmpty else { return nil }
    return PeerText.identity(text)
  }

  /// The name of the machine's Kubernetes node; nil where it has none.
  ///
  /// - Throws: `.unusable` for what is no host name: it stands in messages, among them commands that a person is to type.
  func nodename() async throws(TalosFailure) -> String? {
    guard let text = try await get(.nodename)?.nodename, !text.isEmpty else { return nil }
    guard let name = PeerText.hostName(text) else {
      throw .unusable(
        DriverError(
          .refused, "the machine's node has a name that is no host name: \(PeerText.clean(text))"))
    }
    return name
  }

  /// Where the manager of a machine is that is managed over SideroLink; nil for one that is not, or does not say.
  func sideroLinkEndpoint() async throws(TalosFailure) -> String? {
    do throws(TalosFailure) { return try await get(.sideroLink)?.apiEndpoint } catch {
      if case .status = error { return nil }
      throw error
    }
  }

  /// What the machine's clock shows. Nil where the machine cannot say, because it reaches no time server:
  /// Talos asks one before it answers.
  func clock() async -> Instant? {
    let action = "ask for the time"
    guard let response = try? await unary(Talos.TimeServiceMethods.time, Empty(), action),
      let message = response.messages.first, message.metadata?.error.isEmpty ?? true,
      let time = message.localtime
    else { return nil }
    return Instant(secondsSince1970: time.seconds).advanced(by: .nanoseconds(time.nanos))
  }

  /// A resource's content, or nil where it does not exist.
  func get<Spec: Message>(_ resource: TalosResource<Spec>) async throws(TalosFailure) -> Spec? {
    try await find(resource)?.spec
  }

  /// A resource's content and when it was last changed, by the machine's clock.
  func find<Spec: Message>(
    _ resource: TalosResource<Spec>
  ) async throws(TalosFailure) -> SeenResource<Spec>? {
    let action = "read \(resource.plainName)"
    var request = Cosi.GetRequest()
    request.namespace = resource.namespace
    request.type = resource.type
    request.id = resource.id
    let response: Cosi.GetResponse
    do {
      response = try await unary(Cosi.StateMethods.get, request, action)
    } catch {
      if case .status(.notFound, _) = error { return nil }
      throw error
    }
    guard let bytes = response.resource?.spec?.protoSpec else { throw empty(action) }
    return SeenResource(
      spec: try decode(bytes, action), created: response.resource?.created,
      updated: response.resource?.updated)
  }

  /// All resources of a type, with their ids, and when each was last changed, by the machine's clock.
  ///
  /// - Throws: `.status` with RESOURCE_EXHAUSTED beyond 10,000 resources, or 32 MiB for all of them.
  func list<Spec: Message>(
    _ resource: TalosResource<Spec>
  ) async throws(TalosFailure) -> [(id: String, spec: Spec, updated: Instant?)] {
    let action = "list \(resource.plainName)"
    var request = Cosi.ListRequest()
    request.namespace = resource.namespace
    request.type = resource.type
    let resources = try await stream(Cosi.StateMethods.list, request, action) {
      stream async throws in
      var found: [Cosi.Resource] = []
      var bytes = 0
      for try await response in stream {
        // Encoded once more, a configuration would stand in memory twice.
        let spec = response.resource?.spec
        bytes +=
          (spec?.protoSpec.count ?? 0) + (spec?.yamlSpec.utf8.count ?? 0)
          + (response.resource?.metadata?.serialized().count ?? 0)
        guard found.count < 10_000 else {
          throw RPCError(.resourceExhausted, "more than 10,000 resources")
        }
        guard bytes <= Self.listBytes else {
          throw RPCError(
            .resourceExhausted, "the resources have more than \(Self.listBytes >> 20) MiB")
        }
        if let resource = response.resource { found.append(resource) }
      }
      return found
    }
    var specs: [(id: String, spec: Spec, updated: Instant?)] = []
    for resource in resources where resource.metadata?.phase != "tearingDown" {
      let spec: Spec = try decode(resource.spec?.protoSpec ?? [], action)
      specs.append((resource.metadata?.id ?? "", spec, resource.updated))
    }
    return specs
  }

  /// Makes a configuration the active one, without a reboot. Ends whatever is being tried.
  ///
  /// - Parameter timeout: the configuration is only tried, and the machine goes back to the one that is active now after
  ///   this time (mode TRY); nil: it is written to disk too (mode NO_REBOOT).
  func applyConfiguration(
    _ bytes: [UInt8], tryingFor timeout: Duration? = nil
  ) async throws(TalosFailure) {
    let action = "apply the configuration"
    var request = Talos.ApplyConfigurationRequest()
    request.data = bytes
    request.mode = timeout == nil ? .noReboot : .try
    request.tryModeTimeout = timeout.map { ProtoDuration(seconds: $0.components.seconds, nanos: 0) }
    let response = try await unary(
      Talos.MachineServiceMethods.applyConfiguration, request, action)
    guard let message = response.messages.first else { throw empty(action) }
    try check(message.metadata, action)
  }

  /// A file's content, at most a megabyte.
  func read(_ path: String) async throws(TalosFailure) -> [UInt8] {
    let action = "read \(path)"
    var request = Talos.ReadRequest()
    request.path = path
    return try await stream(Talos.MachineServiceMethods.read, request, action) {
      stream async throws in
      var bytes: [UInt8] = []
      for try await part in stream {
        if let error = part.metadata?.error, !error.isEmpty { throw RPCError(.unknown, error) }
        bytes += part.bytes
        guard bytes.count <= Self.fileBytes else {
          throw RPCError(.resourceExhausted, "the file is larger than a megabyte")
        }
      }
      return bytes
    }
  }

  private func unary<Request: Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, _ request: Request, _ action: String
  ) async throws(TalosFailure) -> Response {
    do {
      return try await rpc.unary(method, request, options: options)
    } catch { throw TalosFailure(error, action) }
  }

  private func stream<Request: Sendable, Response: Sendable, Result: Sendable>(
    _ method: Method<Request, Response>, _ request: Request, _ action: String,
    _ body: (ResponseStream<Response>) async throws -> Result
  ) async throws(TalosFailure) -> Result {
    do {
      return try await rpc.serverStreaming(method, request, options: options, body)
    } catch let error as RPCError {
      throw TalosFailure(error, action)
    } catch {
      throw .unreachable("could not \(action): cancelled")
    }
  }

  private func decode<Spec: Message>(
    _ bytes: [UInt8], _ action: String
  ) throws(TalosFailure) -> Spec {
    do { return try Spec(serialized: bytes) } catch {
      throw .unusable(DriverError(.refused, "could not \(action): the answer is malformed"))
    }
  }

  /// A result that stands for a machine's failure.
  private func check(_ metadata: Talos.Metadata?, _ action: String) throws(TalosFailure) {
    guard let error = metadata?.error, !error.isEmpty else { return }
    let code = metadata?.status.flatMap { StatusCode(rawValue: Int($0.code)) } ?? .unknown
    throw TalosFailure(RPCError(code, error), action)
  }

  private func empty(_ action: String) -> TalosFailure {
    .unusable(DriverError(.refused, "could not \(action): the answer is empty"))
  }
}

/// A resource as a machine shows it, with times by the machine's clock.
struct SeenResource<Spec: Sendable>: Sendable {
  var spec: Spec
  /// When it was made. Talos keeps resources in memory, so each boot makes them anew.
  var created: Instant?
  /// When it was last changed.
  var updated: Instant?
}

extension Cosi.Resource {
  fileprivate var created: Instant? { metadata?.created.map(Instant.init) }

  fileprivate var updated: Instant? { metadata?.updated.map(Instant.init) }
}

extension Instant {
  fileprivate init(_ time: Timestamp) {
    self = Instant(secondsSince1970: time.seconds).advanced(by: .nanoseconds(time.nanos))
  }
}

extension Talos.PEMEncodedCertificate {
  /// The authorities in a trust list as Talos reads it: the PEM texts joined without a separator, however
  /// many blocks stand in each. On workers one entry holds all of them.
  static func trust(in list: [Self]) -> SeenTrust {
    SeenTrust(pem: list.map { String(decoding: $0.crt, as: UTF8.self) })
  }
}

extension Talos.PEMEncodedCertificateAndKey {
  /// The certificates alone, leaf first.
  var certificates: [Certificate] {
    (try? SeenCertificates.shared.bundle(pem: String(decoding: crt, as: UTF8.self))) ?? []
  }
}
