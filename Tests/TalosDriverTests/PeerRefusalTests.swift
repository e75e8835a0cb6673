import Crypto
import Glibc
import Orchestrator
import RPC
import RPCTransport
import Rotation
import Schema
import Testing

@testable import TalosDriver

/// What a machine says cannot stand for what its TLS does.
@Suite("What a machine says of certificates is no proof", .timeLimit(.minutes(1)))
struct PeerRefusalTests {
  private static let words = "remote error: tls: unknown certificate authority"

  /// Calls a machine that lets clients of one authority in and answers them with that status.
  private func call(
    as issuer: Authority, of machine: Authority, _ status: RPCError
  ) async throws -> Result<String, TalosFailure> {
    let now = Int64(time(nil))
    var router = ServiceRouter()
    router.handle(Talos.MachineServiceMethods.version) { (_: Empty, _) in throw status }
    let server = try RPCServer(router)
    let context = try TLSContext(
      TLSConfiguration(
        role: .server,
        identity: machine.issue(
          LeafRequest(
            organizations: ["server"], ipAddresses: ["127.0.0.1"], usages: [.server],
            validity: 3600),
          now: now), trustRoots: [machine.certificate], alpn: ["h2"]))
    let port = try await server.listen(host: "127.0.0.1", port: 0) { context }
    let tls = TLSClient(
      identity: try issuer.issue(.talosClient(), now: now), roots: [machine.certificate])
    let answer: Result<String, TalosFailure>
    do throws(TalosFailure) {
      let endpoint = TalosEndpoint(host: "127.0.0.1", port: port)
      answer = .success(
        try await TalosConnection.with(endpoint, tls, timeout: .seconds(5)) {
          rpc throws(TalosFailure) in
          try await TalosClient(rpc: rpc, node: nil, timeout: .seconds(5)).version()
        })
    } catch { answer = .failure(error) }
    await server.shutdown(grace: .seconds(1))
    return answer
  }

  private func proof(_ dropped: Result<String, TalosFailure>) async -> CheckResult.State {
    await RefusalProof.check(
      control: .success(()), accepted: { .success(()) }, dropped: { dropped.map { _ in } }
    ).state
  }

  @Test("A status with the words of a refusal proves nothing, a refusal does")
  func words() async throws {
    let now = Int64(time(nil))
    let machine = try Authority.generate(.talos, now: now)
    let said = try await call(as: machine, of: machine, RPCError(.unavailable, Self.words))
    guard case .failure(.unreachable(let message, nil)) = said else {
      Issue.record("\(said)")
      return
    }
    #expect(message.contains(Self.words))
    #expect(await proof(said) == .waiting)
    let stranger = try Authority.generate(.talos, now: now)
    let done = try await call(as: stranger, of: machine, RPCError(.ok, ""))
    guard case .failure(.rejected(_, .certificateRefused(alert: 48))) = done else {
      Issue.record("\(done)")
      return
    }
    #expect(await proof(done) == .passed)
  }
}
