internal import ProtoCodec
internal import Schema

/// The resources that show what a machine is, what runs on it, and whom it knows.
extension SimulatedNode {
  func putServices() {
    for service in state.services {
      // A service that was stopped for good or for a restart has no resource.
      guard service.isRunning else {
        resources.remove(ResourceCatalog.service.key(service.id))
        continue
      }
      var spec = Talos.ServiceSpec()
      spec.running = true
      spec.healthy = service.healthy
      spec.unknown = false
      put(ResourceCatalog.service, service.id, spec)
    }
  }

  func putMachine() {
    var type = Talos.MachineTypeSpec()
    type.machineType = isControlPlane || claim != nil ? .controlPlane : .worker
    put(ResourceCatalog.machineType, "machine-type", type)

    if !options.withoutKubernetes {
      var nodename = Talos.NodenameSpec()
      nodename.nodename = name
      nodename.hostnameVersion = "1"
      put(ResourceCatalog.nodename, "nodename", nodename)
    }

    var time = Talos.TimeStatusSpec()
    time.synced = faults.clockOffset == .zero
    time.syncDisabled = false
    put(ResourceCatalog.timeStatus, "node", time)

    putMachineStatus(.running)

    var identity = Talos.IdentitySpec()
    identity.nodeID = nodeID
    put(ResourceCatalog.identity, "local", identity)
    putMembers()
  }

  func putMachineStatus(_ stage: Talos.RuntimeMachineStage) {
    let unhealthy = state.services.filter { !$0.isRunning || !$0.healthy }
    var status = Talos.MachineStatusSpec()
    status.stage = stage
    var condition = Talos.MachineStatusStatus()
    condition.ready = unhealthy.isEmpty && !faults.notReady
    condition.unmetConditions = unhealthy.map { _ in
      var unmet = Talos.UnmetCondition()
      unmet.name = "services"
      unmet.reason = "a service is not healthy"
      return unmet
    }
    status.status = condition
    put(ResourceCatalog.machineStatus, "machine", status)
  }

  private func putMembers() {
    if isPublished != wasPublished {
      wasPublished = isPublished
      Task { await hub.publishingChanged() }
    }
    let shown = shownMembers
    let names = Set(shown.map(\.name))
    let kind = ResourceCatalog.member
    for old in resources.list(namespace: kind.namespace, type: kind.type)
    where !names.contains(old.key.id) {
      resources.remove(old.key)
    }
    for member in shown {
      var spec = Talos.MemberSpec()
      spec.nodeID = member.nodeID
      spec.addresses = member.addresses.compactMap(Talos.NetIP.init(text:))
      spec.hostname = member.hostname
      spec.machineType = member.type.isControlPlane ? .controlPlane : .worker
      spec.operatingSystem = "Talos (\(options.effectiveTalosVersion))"
      if let port = member.apiServerPort {
        var controlPlane = Talos.ControlPlane()
        controlPlane.apiServerPort = Int64(port)
        spec.controlPlane = controlPlane
      }
      put(kind, member.name, spec)
    }
  }

  /// A static pod as Talos gives it to the kubelet.
  func staticPodSpec(_ component: StaticPod.Component) -> Talos.StaticPodSpec {
    func structure(_ fields: [String: ProtoValue]) -> ProtoValue {
      ProtoValue(.structure(ProtoStruct(fields)))
    }
    func texts(_ fields: [String: String]) -> ProtoValue {
      structure(fields.mapValues { ProtoValue(.string($0)) })
    }
    let name = component.rawValue
    var container: [String: ProtoValue] = [:]
    container["name"] = ProtoValue(.string(name))
    container["image"] = ProtoValue(.string("registry.k8s.io/\(name):\(options.kubernetesVersion)"))
    var made = Talos.StaticPodSpec()
    made.pod = ProtoStruct([
      "apiVersion": ProtoValue(.string("v1")), "kind": ProtoValue(.string("Pod")),
      "metadata": structure([
        "name": ProtoValue(.string(name)), "namespace": ProtoValue(.string("kube-system")),
        "annotations": texts([
          "talos.dev/secrets-version": "\(state.staticPodVersion)",
          "talos.dev/config-version": "1", "talos.dev/config-file-version": "1",
        ]),
        "labels": texts(["tier": "control-plane", "k8s-app": name, "component": name]),
      ]),
      "spec": structure([
        "hostNetwork": ProtoValue(.bool(true)),
        "priorityClassName": ProtoValue(.string("system-cluster-critical")),
        "containers": ProtoValue(.list(ProtoListValue([structure(container)]))),
      ]),
      "status": structure([:]),
    ])
    return made
  }
}
