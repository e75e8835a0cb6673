import Crypto
import RPC
import RPCTransport
import Schema
import Testing

@testable import TalosSimulator

/// A running cluster with clients for it.
final class TestCluster: Sendable {
  let cluster: SimulatedCluster
  let admin: PEMPair
  let talosCA: PEMPair
  let kubernetesCA: PEMPair

  /// Runs the body with a cluster on addresses and ports of its own, and ends the cluster after it.
  static func run(
    controlPlanes: Int = 2, workers: Int = 1, layout: ClusterOptions.Layout = .legacy,
    timing: Timing = .instant, change: (inout ClusterOptions) -> Void = { _ in },
    _ body: (TestCluster) async throws -> Void
  ) async throws {
    var options = ClusterOptions()
    options.controlPlanes = controlPlanes
    options.workers = workers
    options.layout = layout
    options.addressBase = "127.0.21.0"
    options.port = 0
    options.kubernetesPort = 0
    options.timing = timing
    change(&options)
    let cluster = try await SimulatedCluster(options)
    try await cluster.start()
    do {
      try await body(try await TestCluster(cluster))
    } catch {
      await cluster.stop()
      throw error
    }
    await cluster.stop()
  }

  private init(_ cluster: SimulatedCluster) async throws {
    self.cluster = cluster
    let state = await cluster.nodes[0].state
    talosCA = try #require(state.osRoot.issuing)
    // Some other CA where the cluster has none.
    kubernetesCA = state.kubernetesRoot?.issuing ?? Fixture.kubernetes
    admin = try CertificateIssuing(now: WallClock.seconds()).talosClient(
      talosCA, roles: [Role.admin])
  }

  var controlPlanes: [SimulatedNode] { cluster.nodes.filter(\.isControlPlane) }
  var workers: [SimulatedNode] { cluster.nodes.filter { !$0.isControlPlane } }

  // MARK: Talos API

  /// A client of one machine's apid.
  func client(
    of node: SimulatedNode, as pair: PEMPair? = nil, trusting roots: [PEMPair]? = nil
  ) throws -> RPCClient {
    let context = try TLSContext(
      TLSConfiguration(
        role: .client, identity: try (pair ?? admin).identity(),
        trustRoots: try (roots ?? [talosCA]).map { try Certificate(pem: $0.certificate) },
        alpn: ["h2"]))
    return RPCClient(
      try SocketChannel(
        .tls(host: node.address, port: cluster.port), tls: context, serverName: node.address))
  }

  static func options(node: SimulatedNode? = nil) -> CallOptions {
    var options = CallOptions(timeout: .seconds(60))
    if let node { options.metadata.append("node", node.address) }
    return options
  }

  func version(
    of node: SimulatedNode, as pair: PEMPair? = nil, trusting roots: [PEMPair]? = nil,
    via: SimulatedNode? = nil
  ) async throws -> String {
    let client = try self.client(of: via ?? node, as: pair, trusting: roots)
    let answer = try await client.unary(
      Talos.MachineServiceMethods.version, Empty(),
      options: Self.options(node: via == nil ? nil : node))
    return answer.messages.first?.version?.tag ?? ""
  }

  func apply(
    _ config: String, to node: SimulatedNode,
    mode: Talos.ApplyConfigurationRequest.Mode = .noReboot, dryRun: Bool = false,
    tryFor seconds: Int64? = nil, client: RPCClient? = nil
  ) async throws -> Talos.ApplyConfiguration {
    var request = Talos.ApplyConfigurationRequest()
    request.data = Array(config.utf8)
    request.mode = mode
    request.dryRun = dryRun
    if let seconds {
      var timeout = ProtoDuration()
      timeout.seconds = seconds
      request.tryModeTimeout = timeout
    }
    let answer = try await (client ?? self.client(of: node)).unary(
      Talos.MachineServiceMethods.applyConfiguration, request, options: Self.options())
    return try #require(answer.messages.first)
  }

  func apiCertificates(of node: SimulatedNode) async -> APICertificates? {
    await node.state.apiCertificates
  }

  /// The fingerprints a machine's apid accepts now.
  func accepted(by node: SimulatedNode) async -> Set<String> {
    let list = await node.state.apiCertificates?.accepted ?? []
    return Set(TrustPool.certificates(list).map(\.fingerprint))
  }

  // MARK: Configs

  /// A config for the machine with other CAs and everything else that matters unchanged.
  func config(
    for node: SimulatedNode, talos: (issuing: PEMPair, accepted: [PEMPair])? = nil,
    kubernetes: (issuing: PEMPair, accepted: [PEMPair])? = nil
  ) async -> String {
    let config = await node.state.active.config
    let make = node.isControlPlane ? Fixture.controlPlane : Fixture.worker
    let text = make(
      talos?.issuing ?? talosCA, talos?.accepted ?? [], kubernetes?.issuing ?? kubernetesCA,
      kubernetes?.accepted ?? [])
    return text.replacing("abcdef.0123456789abcdef", with: config.token)
      .replacing("fedcba.fedcba9876543210", with: config.bootstrapToken)
      .replacing("https://127.0.20.1:6443", with: config.endpoint)
  }

  static func fingerprint(_ pair: PEMPair) throws -> String {
    try Certificate(pem: pair.certificate).fingerprint
  }

  // MARK: Kubernetes API

  func kubernetes(
    _ node: SimulatedNode, _ path: String, method: String = "GET", as pair: PEMPair? = nil,
    trusting roots: [PEMPair]? = nil
  ) async throws -> HTTPResponse {
    let context = try TLSContext(
      TLSConfiguration(
        role: .client, identity: try pair?.identity(),
        trustRoots: try (roots ?? [kubernetesCA]).map { try Certificate(pem: $0.certificate) },
        alpn: ["h2"]))
    let channel = try SocketChannel(
      .tls(host: node.address, port: cluster.kubernetesPort), tls: context,
      serverName: node.address)
    defer { channel.close() }
    return try await HTTPClient(channel).send(
      HTTPRequest(method: method, path: path), timeout: .seconds(60))
  }

  func kubernetesAdmin(_ ca: PEMPair? = nil) throws -> PEMPair {
    try CertificateIssuing(now: WallClock.seconds()).kubernetesAdmin(ca ?? kubernetesCA)
  }
}

/// Waits until the condition holds; the test fails if it does not within five seconds.
func eventually(
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(5)
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("never came true: \(what)", sourceLocation: sourceLocation)
}

/// The status a call fails with; nil when it succeeds.
func status(_ body: () async throws -> Void) async -> StatusCode? {
  do {
    try await body()
    return nil
  } catch {
    return (error as? RPCError)?.code ?? .unknown
  }
}
