import Rotation

/// Requests with identifiers of their own, which are given the first answer when they are repeated.
extension RotationOrchestrator {
  /// - Throws: `.tooManyRequests` where the order has an identifier that could not be remembered. It changes nothing then:
  ///   what is not remembered could begin a second rotation when it is repeated after the end of this one.
  func requireRoom(
    for order: RotationOrder, beside rotation: RotationRecord
  ) async throws(OrchestratorError) {
    guard !order.requestID.isEmpty else { return }
    let count: Int
    do throws(StoreError) {
      count = try await journal.store.requestCount(
        cluster: rotation.cluster, ordinal: rotation.ordinal)
    } catch {
      throw OrchestratorError(error, cluster: rotation.cluster)
    }
    guard count < RequestRecord.limit else { throw .tooManyRequests(rotation.cluster) }
  }

  /// The answer that this request was given before.
  func answered(
    _ order: RotationOrder, cluster name: String
  ) async throws(OrchestratorError) -> RotationTicket? {
    guard !order.requestID.isEmpty else { return nil }
    let request: RequestRecord?
    var rotation: RotationRecord?
    do throws(StoreError) {
      request = try await journal.store.request(order.requestID, cluster: name)
      if let request { rotation = try await journal.store.rotation(request.rotation) }
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    guard let request, let rotation else { return nil }
    guard request.component == order.component else {
      throw .invalid(
        "request_id", "was used for \(request.component.rawValue) before: choose another")
    }
    guard request.cause.mayBe(order.cause, of: rotation, begun: !request.attached) else {
      throw .invalid(
        "request_id",
        "was used for another cause on \(request.answeredAt), and begins nothing now: choose another"
      )
    }
    var ticket = ticket(
      for: rotation, attached: request.attached,
      machines: rotation.state.stage?.machines.map(\.machine)
        ?? journal.cluster(name)?.machines ?? [])
    ticket.answeredAt = request.answeredAt
    ticket.notes = [
      "this request was answered on \(request.answeredAt): nothing has been begun by its repetition"
    ]
    return ticket
  }

  func request(
    _ order: RotationOrder, _ rotation: RotationRecord, attached: Bool
  ) -> RequestRecord? {
    guard !order.requestID.isEmpty else { return nil }
    return RequestRecord(
      id: order.requestID, cluster: rotation.cluster, component: order.component,
      rotation: rotation.id, ordinal: rotation.ordinal, attached: attached,
      cause: StatedCause(order.cause),
      answeredAt: clock.now())
  }
}
