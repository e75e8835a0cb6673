import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

extension ManagementHandlers {
  func rotateSecret(
    _ request: RotateSecretRequest, requester: Requester
  ) async throws(RPCError) -> RotateSecretResponse {
    let soak = try soak(request)
    let tryTimeout = try request.tryTimeout.map { duration throws(RPCError) in
      try self.duration(duration, "try_timeout")
    }
    let cause = Orchestrator.RotationCause(request.cause)
    guard cause != nil || request.cause == .unspecified else {
      throw .badRequest([
        ArgumentViolation(
          "cause", "has the value \(request.cause.rawValue), which is not known here")
      ])
    }
    let ticket = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.rotate(
        cluster: request.cluster, component: Rotation.SecretComponent(request.component),
        dryRun: request.dryRun,
        options: RotationOptions(
          removeForeign: request.removeForeign, allowUnready: request.allowUnready,
          allowUnmanagedNodes: request.allowUnmanagedNodes, acknowledgeOwner: request.ownerAck,
          workerLimit: request.maxParallelWorkers == 0 ? nil : Int(request.maxParallelWorkers),
          soak: soak, tryTimeout: tryTimeout,
          leftOut: LeftOutMachines(Set(request.leaveOut))),
        requestID: request.requestID, reason: request.reason,
        cause: cause, requester: requester.name, call: requester.call)
    }
    // A dry run is of no rotation, although its answer shows the last one.
    if !request.dryRun { requester.record.note(ticket.status) }
    var response = RotateSecretResponse()
    response.status = RotationStatus(ticket.status)
    response.attached = ticket.attached
    response.answeredAt = ticket.answeredAt.map(Timestamp.init)
    if request.dryRun {
      response.plan = RotationPlan(ticket)
    } else {
      response.notes = ticket.notes
    }
    return response
  }

  /// - Throws: INVALID_ARGUMENT for what is no duration, and for a time beside "until continued".
  private func soak(_ request: RotateSecretRequest) throws(RPCError) -> Soak? {
    let time = try request.soak.map { duration throws(RPCError) in
      try self.duration(duration, "soak")
    }
    guard request.soakUntilContinued else { return time.map { .lasting($0) } }
    guard time == nil else {
      throw .badRequest([
        ArgumentViolation("soak", "cannot be given beside soak_until_continued: choose one")
      ])
    }
    return .untilContinued
  }

  func continueRotation(
    _ request: ContinueRotationRequest, requester: Requester
  ) async throws(RPCError) -> ContinueRotationResponse {
    let status = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.goOn(
        cluster: request.cluster, rotationID: request.rotationID, requester: requester.name,
        call: requester.call)
    }
    requester.record.note(status)
    var response = ContinueRotationResponse()
    response.status = RotationStatus(status)
    return response
  }

  func abortRotation(
    _ request: AbortRotationRequest, requester: Requester
  ) async throws(RPCError) -> AbortRotationResponse {
    let status = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.abort(
        cluster: request.cluster, rotationID: request.rotationID,
        leftOut: LeftOutMachines(Set(request.leaveOut)), requester: requester.name,
        call: requester.call)
    }
    requester.record.note(status)
    var response = AbortRotationResponse()
    response.status = RotationStatus(status)
    return response
  }

  func getRotationStatus(
    _ request: GetRotationStatusRequest
  ) async throws -> EncodedMessage<GetRotationStatusResponse> {
    if let current = orchestrator.current(cluster: request.cluster) {
      return try statusAnswers.answer(current)
    }
    // The orchestrator says what is wrong with the name, or that no cluster bears it.
    return try StatusAnswers.encoded(
      try await asking { () async throws(OrchestratorError) in
        try await orchestrator.status(cluster: request.cluster)
      })
  }

  func listRotations(
    _ request: ListRotationsRequest
  ) async throws(RPCError) -> ListRotationsResponse {
    var size = Int(request.pageSize)
    while true {
      let page = try await asking { () async throws(OrchestratorError) in
        try await orchestrator.history(
          cluster: request.cluster, pageSize: size, pageToken: request.pageToken)
      }
      var response = ListRotationsResponse()
      response.rotations = page.rotations.map { RotationStatus($0) }
      response.nextPageToken = page.nextPageToken
      // A page may hold less than was asked for: rather that than a message nobody takes.
      let count = response.rotations.count
      if count <= 1 || response.serializedCount <= Self.pageBytes { return response }
      size = count / 2
    }
  }

  func getRotationReport(
    _ request: GetRotationReportRequest
  ) async throws(RPCError) -> GetRotationReportResponse {
    let text = try await asking { () async throws(OrchestratorError) in
      try await orchestrator.report(cluster: request.cluster, rotationID: request.rotationID)
    }
    var response = GetRotationReportResponse()
    response.keyFingerprint = reports.keyFingerprint()
    do { response.report = try reports.sign(text) } catch { throw .internalFault }
    return response
  }

  /// Lets a watch begin, which goes on until the caller leaves, nothing is left to wait for, or the server drains.
  ///
  /// A slow reader holds up nobody: what it misses is made good by the newest status of each cluster.
  func beginWatch(
    _ request: WatchRotationStatusRequest
  ) throws(RPCError) -> RotationFeed.Channel {
    let kind = RotationFeed.Kind(
      cluster: request.cluster.isEmpty ? nil : request.cluster,
      stopsWhenIdle: request.stopWhenIdle, changesOnly: request.changesOnly)
    do throws(OrchestratorError) {
      return try feed.join(kind, afterRevision: request.afterRevision, of: orchestrator)
    } catch {
      throw RPCError(error)
    }
  }
}
