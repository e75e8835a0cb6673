import Crypto
import Orchestrator
import ProtoCodec
import Rotation

/// Whether Kubernetes is well before a rotation begins: what is unwell before would be waited for without end.
extension TalosDriver {
  func lookAtKubernetes(
    _ preflight: inout Preflight, _ component: SecretComponent, _ access: ClusterAccess,
    _ inspected: [MachineInspection]
  ) async {
    let objects: [JSONValue]
    do throws(DriverError) {
      objects = try await withKubernetes(access) { client async throws(DriverError) in
        try await client.list("/api/v1/nodes")
      }
    } catch {
      preflight.add(unlisted: error, component)
      return
    }
    let nodes = Coverage.nodes(objects.map(KnownNode.init), of: preflight.machines)
    preflight.findings += nodes.unmanaged.map(Coverage.unmanaged)
    if let owner = ConfigurationOwner.clusterAPI(objects) { preflight.findings.append(owner) }
    for machine in preflight.machines {
      guard let node = nodes.managed.first(where: { $0.0.id == machine.id })?.1 else {
        let names = NodeDeparture.names(of: machine)
        preflight.unready.formUnion(names.map { "node/" + $0 })
        preflight.add(
          unready: "node/" + names[0], of: machine.id,
          "Kubernetes has no node of \(machine.id): its kubelet has not registered")
        continue
      }
      let object = objects.first { $0.objectName == node.name }
      let ready = object?.condition("Ready")
      guard ready?.status != "True" else { continue }
      let reason = PeerText.clean(ready?.reason ?? "no Ready condition")
      preflight.add(
        unready: "node/" + node.name, of: machine.id, "node \(node.name) is not Ready (\(reason))")
    }
    for seen in inspected {
      guard let kubelet = seen.kubernetes?.kubelet, kubelet.running,
        kubelet.healthy || kubelet.unknown
      else {
        preflight.add(
          unready: seen.machine.unreadyKubelet, of: seen.machine.id,
          "the kubelet of \(seen.machine.id) is not running and healthy (talosctl -n \(seen.machine.address) logs kubelet)"
        )
        continue
      }
    }
    let planes = preflight.machines.filter { $0.role == .controlPlane }
    let reports = await concurrently(planes) { plane in
      let node = nodes.managed.first { $0.0.id == plane.id }?.1.name ?? plane.id
      return await self.unwellPods(of: plane, node, access)
    }
    for (plane, report) in zip(planes, reports) {
      for (name, text) in report { preflight.add(unready: name, of: plane.id, text) }
    }
  }

  /// The control plane components of a machine that do not run well, by the names that
  /// `RotationOptions.unready` has for them.
  private func unwellPods(
    of plane: Machine, _ node: String, _ access: ClusterAccess
  ) async -> [(String, String)] {
    var unwell: [(String, String)] = []
    do throws(DriverError) {
      let trust = try ClusterTrust(.kubernetesCA, access, keyring)
      let port = await apiServerPort(plane, access)
      let answer = await ask(
        plane, port, "/readyz", as: trust.signers[0], trusting: trust.roots)
      if case .status(200, _) = answer {
      } else {
        unwell.append(
          (
            StaticPod.apiServer.unreadyName(on: node),
            "the API server of \(plane.id) is not ready: \(answer.summary)"
          ))
      }
      let mirrors = try await mirrorPods(on: node, plane, access)
      // A control plane whose pods Kubernetes does not show is judged by its API server alone.
      guard !mirrors.isEmpty else { return unwell }
      for pod in [StaticPod.controllerManager, .scheduler] where mirrors[pod]?.isReady != true {
        unwell.append(
          (pod.unreadyName(on: node), "\(pod.mirrorName(on: node)) is not running and Ready"))
      }
    } catch {
      unwell.append(
        (
          StaticPod.apiServer.unreadyName(on: node),
          "the control plane components of \(plane.id) cannot be looked at: \(error.message)"
        ))
    }
    return unwell
  }
}

extension Preflight {
  /// The Kubernetes nodes cannot be listed. A rotation of the Kubernetes CA needs an API server; that of the Talos CA needs
  /// it to compare the machines with the nodes and no more.
  fileprivate mutating func add(unlisted error: DriverError, _ component: SecretComponent) {
    switch component {
    case .kubernetesCA:
      findings.append(
        Finding(
          .unreachable, "",
          "the Kubernetes nodes cannot be listed, and without them nobody knows who is left out: \(error.message); put "
            + "an API server right first"))
    case .talosCA:
      unready.insert(Coverage.unreadyNodes)
      findings.append(
        Finding(
          .unready, "",
          "the Kubernetes nodes cannot be listed: \(error.message); put an API server right first, or give "
            + "--allow-unready: the machines are not compared with the nodes then, so that one which discovery does not "
            + "know is locked out, nor is Cluster API found, and a machine that leaves is waited for"
        ))
    }
  }

  fileprivate mutating func add(unready name: String, of machine: String, _ text: String) {
    unready.insert(name)
    findings.append(
      Finding(
        .unready, machine,
        "\(text): put it right first, because it would be waited for without end, or give --allow-unready"
      ))
  }
}

extension Machine {
  /// What `RotationOptions.unready` calls its kubelet.
  var unreadyKubelet: String { "kubelet/" + id }
}
