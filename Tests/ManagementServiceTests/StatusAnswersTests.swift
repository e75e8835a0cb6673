import Orchestrator
import Schema
import Testing

@testable import ManagementService

@Suite("GetRotationStatus", .timeLimit(.minutes(1)))
struct StatusAnswersTests {
  @Test("Whoever asks again before anything has changed gets the same bytes")
  func same() async throws {
    let served = try await ServedManagement()
    _ = try await served.rotate()
    let last = try await served.finish()
    let answers = StatusAnswers()
    let update = try #require(
      served.orchestrator.changed(after: 0, cluster: last.cluster, limit: 1).first)
    _ = try answers.answer(update)
    _ = try answers.answer(update)
    #expect(answers.count == 1)
    #expect(try await served.status() == last)
    #expect(try await served.status() == last)
  }

  @Test("What is answered is what is current, at every step of a rotation")
  func current() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    let early = try await served.status()
    #expect(early.state == .running)
    served.driver.update { $0.held = [] }
    let last = try await served.finish()
    #expect(try await served.status() == last)
    #expect(last.revision > early.revision)
  }
}
