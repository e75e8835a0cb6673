public import Orchestrator
import Rotation

/// How far somebody else has come with a rotation.
extension TalosDriver {
  public func survey(_ request: SurveyRequest) async throws(DriverError) -> SurveyedCluster {
    let survey = try await ClusterSurvey(self, request)
    let limit = importTime(leaving: request.leftOut)
    do throws(TalosFailure) {
      return try await Deadline.of(
        limit, late: { survey.awaited.late(limit) }
      ) { () throws(TalosFailure) in try await survey.run() }
    } catch { throw error.driverError }
  }
}
