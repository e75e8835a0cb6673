import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func adoptRotation(
    _ request: AdoptRotationRequest, requester: Requester
  ) async throws(RPCError) -> AdoptRotationResponse {
    let component = Rotation.SecretComponent(request.component)
    guard component != nil || request.component == .unspecified else {
      throw .badRequest([
        ArgumentViolation(
          "component", "has the value \(request.component.rawValue), which is not known here")
      ])
    }
    guard !request.talosconfig.isEmpty || (request.context.isEmpty && request.endpoints.isEmpty)
    else {
      throw .badRequest([
        ArgumentViolation("talosconfig", "must be given where context or endpoints are")
      ])
    }
    let access = DiscoveryRequest(
      name: request.cluster, talosconfig: request.talosconfig,
      context: request.context.isEmpty ? nil : request.context, endpoints: request.endpoints)
    let ticket = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.adopt(
        AdoptionOrder(
          cluster: request.cluster, component: component,
          access: request.talosconfig.isEmpty ? nil : access,
          listing: MachineListing(request.controlPlanes, request.workers),
          goesBack: request.rollBack, onlyHeals: request.heal, dryRun: request.dryRun,
          options: RotationOptions(
            removeForeign: request.removeForeign,
            allowUnmanagedNodes: request.allowUnmanagedNodes, acknowledgeOwner: request.ownerAck,
            workerLimit: request.maxParallelWorkers == 0 ? nil : Int(request.maxParallelWorkers),
            leftOut: LeftOutMachines(Set(request.leaveOut))),
          reason: request.reason, requester: requester.name, call: requester.call))
    }
    if let status = ticket.status { requester.record.note(status) }
    var response = AdoptRotationResponse()
    response.status = ticket.status.map { RotationStatus($0) }
    response.attached = ticket.isAttached
    response.unfinished = ticket.unfinished.map { Schema.UnfinishedRotation($0) }
    response.rollsBack = ticket.goesBack
    response.notes = ticket.notes
    response.unclear = ticket.unclear.map { found in
      var shown = UnclearComponent()
      shown.component = Schema.SecretComponent(found.component)
      shown.reason = found.reason
      return shown
    }
    return response
  }
}

extension MachineListing {
  /// Nil where nobody is named.
  init?(_ controlPlanes: [String], _ workers: [String]) {
    guard !controlPlanes.isEmpty || !workers.isEmpty else { return nil }
    self.init(controlPlanes: controlPlanes, workers: workers)
  }
}

extension Schema.UnfinishedRotation {
  fileprivate init(_ found: Orchestrator.UnfinishedRotation) {
    self.init()
    component = Schema.SecretComponent(found.component)
    oldCAFingerprint = found.old.fingerprint
    newCAFingerprint = found.new.fingerprint
    phase = Schema.RotationPhase(found.phase)
    finishObstacle = found.finishObstacle ?? ""
    rollBackObstacle = found.returnObstacle ?? ""
    machines = found.machines.map { trust in
      var machine = UnfinishedMachine()
      machine.machine = trust.machine.id
      machine.controlPlane = trust.machine.role == .controlPlane
      machine.state =
        switch trust.standing {
        case .before: .before
        case .prepared: .prepared
        case .rotated: .rotated
        case .finished: .finished
        case .irregular: .irregular
        }
      machine.issuingCAFingerprint = trust.issuing
      machine.acceptedCAFingerprints = trust.accepted
      return machine
    }
  }
}
