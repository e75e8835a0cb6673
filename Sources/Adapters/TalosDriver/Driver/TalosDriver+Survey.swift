public import Orchestrator
import Rotation

/// How far somebody else has come with a rotation.
extension TalosDriver {
  public func survey(_ request: SurveyRequest) async throws(DriverError) -> SurveyedCluster {
    let survey = try await ClusterSurvey(self, request)
    do throws(TalosFailure) {
      return try await Deadline.of(
        settings.importTimeout, late: { survey.awaited.late(self.settings.importTimeout) }
      ) { () throws(TalosFailure) in try await survey.run() }
    } catch { throw error.driverError }
  }
}
