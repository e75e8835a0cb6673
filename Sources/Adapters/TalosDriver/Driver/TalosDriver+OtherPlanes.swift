import Crypto
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Synchronization

extension TalosDriver {
  /// Whether the configuration of another control plane is as wanted; the first that is ends the search.
  ///
  /// - Throws: `.unusable` where none is that could be asked, with why another could not be: as a failure of the connection
  ///   it would be taken for one to the machine itself.
  func anotherPlane(
    than machine: Machine, _ access: ClusterAccess,
    is asWanted: ([UInt8]) async throws(TalosFailure) -> Bool
  ) async throws(TalosFailure) -> Bool {
    var failure: DriverError?
    for other in access.cluster.controlPlanes where other.id != machine.id {
      do throws(TalosFailure) {
        var config = try await withReading(other, access, within: .zero) {
          client async throws(TalosFailure) in try await client.machineConfig()
        }
        defer { config.wipe() }
        if try await asWanted(config) { return true }
      } catch { failure = words(access).error(other, error) }
    }
    if let failure { throw .unusable(failure) }
    return false
  }
}

/// One control plane at a time: the next one is changed only while all others serve.
extension TalosDriver {
  /// - Throws: `.unusable` with the first control plane whose API server is not ready with the secrets that
  ///   are on its disk. A change of the Kubernetes CA restarts the API server, so two would be down at
  ///   once. What was unwell before the rotation, and is not waited for, is left out.
  func requireOthersReady(
    _ change: TrustChange, _ machine: Machine, _ access: ClusterAccess
  ) async throws(TalosFailure) {
    guard change.component == .kubernetesCA, machine.role == .controlPlane else { return }
    let others = access.cluster.controlPlanes.filter { $0.id != machine.id }
    let reasons = await withTaskGroup(of: (Int, String?).self) { group in
      for (index, other) in others.enumerated() {
        group.addTask { (index, await self.unreadiness(of: other, change, access)) }
      }
      var found: [(Int, String)] = []
      for await (index, reason) in group { if let reason { found.append((index, reason)) } }
      return found.sorted { $0.0 < $1.0 }.map(\.1)
    }
    guard let first = reasons.first else { return }
    throw .unusable(
      DriverError(
        .refused, "\(machine.id) is not changed while another API server is not ready: \(first)"))
  }

  /// Why a control plane's API server is not ready on the secrets on its disk; nil if it is.
  ///
  /// Its API server shows nothing of whose it is. It is the machine's own where the address led to the machine before and
  /// after, which the connection that is open meanwhile shows.
  private func unreadiness(
    of plane: Machine, _ change: TrustChange, _ access: ClusterAccess
  ) async -> String? {
    do throws(TalosFailure) {
      return try await withMachine(plane, access, within: .zero) {
        client async throws(TalosFailure) in
        async let nodename = TalosClient.outcome { () async throws(TalosFailure) in
          try await client.nodename()
        }
        let secrets = try await StaticPodSecrets.read(client)
        let shownName = try await nodename.get() ?? plane.id
        let reason = await self.unreadiness(
          of: plane, shownName, secrets, change, access)
        if reason == nil { try await client.requireIdentity(of: plane) }
        return reason
      }
    } catch { return error.message }
  }

  private func unreadiness(
    of plane: Machine, _ nodename: String, _ secrets: StaticPodSecrets?, _ change: TrustChange,
    _ access: ClusterAccess
  ) async -> String? {
    do throws(DriverError) {
      let unready = StaticPod.apiServer.unreadyName(on: nodename)
      let trust = try ClusterTrust(.kubernetesCA, access, keyring)
      let freshness = freshness(plane)
      let left: AuthorityGeneration =
        change.bundle(for: .controlPlane).issuing == .old ? .new : .old
      switch await readiness(plane, access, trusting: trust.roots, as: trust.signers) {
      case .status(200, _): noteRecovered(unready, change, access)
      case .unreachable where isExcusable(unready, change, access):
        guard let secrets else { return nil }
        return try await isComingBack(plane, nodename, secrets, freshness, access)
          ? "the API server of \(plane.id) is about to be restarted by its kubelet" : nil
      // It serves nobody, as before the rotation.
      case let answer where answer.isError && isExcusable(unready, change, access): return nil
      // What an expired authority has signed is good for nobody who verifies it: there is no service to lose.
      case .untrusted(_, .expired) where keyring.hasExpired(change.authority(left)): return nil
      case let answer: return "the API server of \(plane.id): \(answer.summary)"
      }
      guard let secrets, let definition = secrets.pods[.apiServer] else { return nil }
      guard secrets.isReady, definition.version == secrets.version,
        !secrets.isBehindRoot(freshness)
      else {
        return "\(plane.id) is still writing its control plane's secrets"
      }
      let mirrors = try await mirrorPods(on: nodename, plane, access)
      let isPodless = isPodless(plane, mirrors)
      guard let mirror = mirrors[.apiServer] else {
        return isPodless
          ? nil : "the API server of \(plane.id) is just being restarted by its kubelet"
      }
      let version =
        versionOfContainer(.apiServer, mirror, definition, on: nodename, change, access)
        ?? mirror.version
      if version != secrets.version {
        return
          "the API server of \(plane.id) is about to be restarted by its kubelet: it runs with the "
          + "secrets of version \(PeerText.clean(version)), \(secrets.version) are on its disk"
      }
      if mirror.isStale(against: definition, of: .apiServer, freshness) {
        return
          "the API server of \(plane.id) is about to be restarted by its kubelet: it was started "
          + "before its definition last changed"
      }
      return nil
    } catch { return error.message }
  }

  /// Whether a container of an API server that does not answer runs, by its kubelet's word, and a change of the secrets on
  /// its disk is so fresh that the kubelet is yet to restart it. A kubelet that is gone says so for ever.
  private func isComingBack(
    _ plane: Machine, _ nodename: String, _ secrets: StaticPodSecrets, _ freshness: Freshness,
    _ access: ClusterAccess
  ) async throws(DriverError) -> Bool {
    guard let updated = secrets.pods[.apiServer]?.updated,
      freshness.holds("excused \(StaticPod.apiServer.rawValue)", updated, within: .seconds(20)),
      let mirror = try await mirrorPods(on: nodename, plane, access)[.apiServer]
    else { return false }
    return mirror.startedAt != nil && mirror.version != secrets.version
  }

  /// Whether Kubernetes has shown no static pods of a control plane for so long that it never does.
  ///
  /// - Parameter mirrors: those that it shows now.
  func isPodless(_ plane: Machine, _ mirrors: [StaticPod: MirrorPod]) -> Bool {
    let now = ContinuousClock.now
    return notes.withLock { notes in
      guard mirrors.isEmpty else {
        notes.withoutPods[plane.address] = nil
        return false
      }
      let since = notes.withoutPods[plane.address] ?? now
      notes.withoutPods[plane.address] = since
      return now - since >= settings.podlessGrace
    }
  }

  /// What `/readyz` of a control plane's API server answers to whichever of our certificates it takes.
  func readiness(
    _ plane: Machine, _ access: ClusterAccess, trusting roots: [Certificate],
    as signers: [SealedAuthority]
  ) async -> KubernetesAnswer {
    let port = await apiServerPort(plane, access)
    var answer = KubernetesAnswer.unreachable("not asked")
    for signer in signers {
      let next = await ask(plane, port, "/readyz", as: signer, trusting: roots)
      // What a server tells a client that it knows says more than that it does not know another one.
      if !answer.isError { answer = next }
      if case .status(200, _) = next { return next }
    }
    if case .unreachable = answer { doubtPort(of: plane, access) }
    return answer
  }
}
