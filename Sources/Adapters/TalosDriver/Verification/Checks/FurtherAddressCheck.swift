import Crypto
import Orchestrator
import RPC
import Rotation

/// `further-addresses`: whether clients of a dropped authority are turned away at every address of every machine, not only
/// at that where the machine is known.
extension TalosDriver {
  /// - Parameter addresses: what discovery says of the machines' addresses, by node identity.
  func furtherAddressCheck(
    _ change: TrustChange, _ access: ClusterAccess, addresses: [String: [String]]
  ) async -> CheckResult {
    let trust: ChangeTrust
    do { trust = try ChangeTrust(change, .controlPlane, keyring) } catch {
      return CheckResult(.driver, .failed, error.message)
    }
    let wentBack = trust.dropped.contains(trust.new)
    let probe = AddressProbe(
      accepted: wentBack ? change.old : change.new, dropped: wentBack ? change.new : change.old,
      roots: [trust.issuing] + trust.dropped)
    let unasked = await concurrently(access.cluster.controlPlanes) { plane in
      await self.unasked(.furtherAddresses, probe.dropped, by: plane, access)
    }.compactMap(\.self)
    if let first = unasked.first(where: { !$0.isSettled }) ?? unasked.first { return first }
    let all = await furtherAddresses(change.component, access, addresses)
    let asked = Array(all.prefix(FurtherAddresses.limit))
    // Most that do not answer are waited for, which costs nothing but time.
    let answers = await concurrently(asked, limit: 64) { address in
      switch change.component {
      case .talosCA: (address, await self.askTalos(address, probe))
      case .kubernetesCA: (address, await self.askAPIServer(address, probe))
      }
    }
    return AddressAnswer.check(answers, unasked: all.count - asked.count)
  }

  private func furtherAddresses(
    _ component: SecretComponent, _ access: ClusterAccess, _ addresses: [String: [String]]
  ) async -> [FurtherAddress] {
    let cluster = access.cluster
    switch component {
    case .talosCA:
      return FurtherAddresses.ofTalos(cluster.machines, addresses, endpoints: cluster.endpoints)
    case .kubernetesCA:
      var planes: [(Machine, Int)] = []
      for plane in cluster.controlPlanes {
        planes.append((plane, await apiServerPort(plane, access)))
      }
      return FurtherAddresses.ofAPIServers(
        planes, addresses, endpoint: cluster.kubernetesEndpoint)
    }
  }

  /// Whoever answers has to show a certificate of the cluster's, also one of the dropped authority: a machine that goes on
  /// with that one would else be taken for a stranger. The certificate need not name the address: behind a load balancer, a
  /// forwarded port or a DNS name it often does not.
  ///
  /// - Parameter verifiesName: false for the second try.
  private func askTalos(
    _ address: FurtherAddress, _ probe: AddressProbe, verifiesName: Bool = true
  ) async -> AddressAnswer {
    func dial(_ authority: SealedAuthority) async -> Result<Void, TalosFailure> {
      await self.dial(
        address, as: authority, trusting: probe.roots, verifiesName: verifiesName)
    }
    let control = await dial(probe.accepted)
    switch control {
    case .success:
      let proof = await RefusalProof.check(
        control: control, accepted: { await dial(probe.accepted) },
        dropped: { await dial(probe.dropped) })
      if proof == RefusalProof.stillIn { return .stillIn }
      return proof.state == .passed ? .refused : .unclear(proof.detail)
    case .failure(let failure):
      if failure.isWrongName, verifiesName {
        return await askTalos(address, probe, verifiesName: false)
      }
      if case .untrusted = failure {
        return failure.isUnknownIssuer ? .foreign : .unclear(failure.message)
      }
      if failure.isNoConnection { return .silent }
      if case .success = await dial(probe.dropped) { return .stillIn }
      // What cuts everybody off lets nobody in: a forwarded port with nothing behind it.
      return failure.isCutOff ? .silent : .closed
    }
  }

  private func dial(
    _ address: FurtherAddress, as authority: SealedAuthority, trusting roots: [Certificate],
    verifiesName: Bool
  ) async -> Result<Void, TalosFailure> {
    do throws(TalosFailure) {
      var tls: TLSClient
      do {
        tls = try keyring.client(.talos(roles: ["os:reader"]), from: authority, trusting: roots)
        if !verifiesName { tls = tls.withoutName }
      } catch { throw .unusable(error) }
      let timeout = settings.probeTimeout
      let endpoint = TalosEndpoint(host: address.host, port: address.port)
      return .success(
        try await TalosConnection.with(endpoint, tls, timeout: timeout) {
          rpc throws(TalosFailure) in
          _ = try await TalosClient(rpc: rpc, node: nil, timeout: timeout).version()
        })
    } catch { return .failure(error) }
  }

  private func askAPIServer(
    _ address: FurtherAddress, _ probe: AddressProbe, verifiesName: Bool = true
  ) async -> AddressAnswer {
    func askNodes(_ authority: SealedAuthority) async -> KubernetesAnswer {
      await self.ask(
        address.host, address.port, "/api/v1/nodes?limit=1", as: authority, trusting: probe.roots,
        timeout: settings.probeTimeout, verifiesName: verifiesName)
    }
    let control = await askNodes(probe.accepted)
    switch control {
    case .unreachable: return .silent
    case .untrusted(_, .unknownIssuer): return .foreign
    case .untrusted(_, .wrongName) where verifiesName:
      return await askAPIServer(address, probe, verifiesName: false)
    case .untrusted(let text, _): return .unclear(text)
    case .status, .rejected: break
    }
    let dropped = await askNodes(probe.dropped)
    if case .status(200..<300, _) = dropped { return .stillIn }
    guard case .status(200, _) = control else { return .closed }
    let proof = Self.refusal(.furtherAddresses, dropped, control: control)
    return proof.state == .passed ? .refused : .unclear(proof.detail)
  }
}

/// Who asks at further addresses.
private struct AddressProbe: Sendable {
  var accepted: SealedAuthority
  var dropped: SealedAuthority
  /// Of whoever answers.
  var roots: [Certificate]
}
