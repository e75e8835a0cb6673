import Orchestrator
import RPC
import Rotation
import Schema
import Testing

@Suite("RotateSecret", .timeLimit(.minutes(1)))
struct RotateTests {
  @Test("A rotation is recorded and the answer says so at once")
  func starts() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    let response = try await served.rotate {
      $0.reason = "the laptop was stolen"
      $0.requestID = "r1"
    }
    let status = try #require(response.status)
    #expect(status.state == .running)
    #expect(!response.attached)
    #expect(response.plan == nil)
    #expect(status.cluster == "demo")
    #expect(status.component == .talosCA)
    #expect(!status.rotationID.isEmpty)
    #expect(status.revision > 0)
    #expect(status.oldCAFingerprint == "talos-old-demo")
    #expect(status.newCAFingerprint == "talos-ca-new-1")
    #expect(status.startedAt == Timestamp(seconds: 1_800_000_000))
    #expect(status.finishedAt == nil)
    #expect(status.reason == "the laptop was stolen")
    #expect(status.requester == "uid:1000")
  }

  @Test("A rotation is not bound to the deadline of the call that began it")
  func outlivesItsCall() async throws {
    let served = try await ServedManagement()
    var request = RotateSecretRequest()
    request.cluster = "demo"
    request.component = .talosCA
    _ = try await served.client.unary(
      ManagementServiceMethods.rotateSecret, request, options: CallOptions(timeout: .seconds(50)))
    #expect(try await served.finish().state == .succeeded)
    let deadlines = served.driver.update { $0.deadlines }
    #expect(deadlines.count == 15 && deadlines.allSatisfy { $0 == nil })
  }

  @Test("Asking again for the same component attaches and starts nothing")
  func attaches() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    let first = try await served.rotate()
    let second = try await served.rotate()
    #expect(second.attached)
    #expect(second.status?.rotationID == first.status?.rotationID)
    #expect(served.driver.authorities == 1)
  }

  @Test("Another component during a rotation is FAILED_PRECONDITION with the precondition")
  func refusesAnother() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    for dryRun in [false, true] {
      let error = try await failure {
        _ = try await served.rotate("demo", .kubernetesCA) { $0.dryRun = dryRun }
      }
      #expect(error.code == .failedPrecondition)
      let detail = try #require(error.detail(GoogleRPC.PreconditionFailure.self))
      #expect(detail.violations.map(\.type) == ["ROTATION_IN_PROGRESS"])
      #expect(detail.violations.map(\.subject) == ["demo"])
      #expect(error.detail(GoogleRPC.ErrorInfo.self)?.reason == "ROTATION_IN_PROGRESS")
    }
  }

  @Test("A dry run returns the plan and changes nothing")
  func dryRun() async throws {
    let served = try await ServedManagement()
    let before = try await served.status()
    let response = try await served.rotate { $0.dryRun = true }
    #expect(response.status == before)
    #expect(!response.attached)
    let steps = try #require(response.plan).steps
    #expect(
      steps.map(\.phase) == [
        .preRotate, .preRotate, .rotate, .rotate, .postRotate, .postRotate,
      ])
    #expect(steps.map(\.controlPlane) == [true, false, true, false, true, false])
    #expect(steps[0].machines == ["cp-1", "cp-2", "cp-3"])
    #expect(steps[1].machines == ["worker-1", "worker-2"])
    #expect(steps[0].issuing == .old)
    #expect(steps[0].accepted == [.old, .new])
    #expect(steps[5].issuing == .new)
    #expect(steps[5].accepted == [.new])
    #expect(served.driver.applied.isEmpty)
    #expect(served.driver.authorities == 0)
    #expect(try await served.status() == before)
  }

  @Test("A dry run during a rotation of the same component says that it would attach")
  func dryRunAttaches() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    #expect(try await served.rotate { $0.dryRun = true }.attached)
  }

  @Test("The same request_id returns the first answer, also when that rotation is over")
  func repeats() async throws {
    let served = try await ServedManagement()
    let first = try await served.rotate { $0.requestID = "r1" }
    let last = try await served.finish()
    let again = try await served.rotate { $0.requestID = "r1" }
    #expect(again.status?.rotationID == first.status?.rotationID)
    #expect(again.status?.state == .succeeded)
    #expect(again.status == last)
    #expect(!again.attached)
    #expect(served.driver.authorities == 1)
    let other = try await served.rotate { $0.requestID = "r2" }
    #expect(other.status?.rotationID != first.status?.rotationID)
  }

  @Test("A rotation that is started the moment the last one has ended is carried out")
  func oneAfterAnother() async throws {
    let served = try await ServedManagement()
    for _ in 0..<30 {
      _ = try await served.rotate()
      #expect(try await served.finish().state == .succeeded)
    }
    #expect(served.driver.applied.count == 30 * 15)
  }

  @Test("A request_id that stands for another component is INVALID_ARGUMENT")
  func requestIDReused() async throws {
    let served = try await ServedManagement()
    _ = try await served.rotate { $0.requestID = "r1" }
    try await served.finish()
    let error = try await failure {
      _ = try await served.rotate("demo", .kubernetesCA) { $0.requestID = "r1" }
    }
    #expect(error.code == .invalidArgument)
    #expect(
      error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == ["request_id"])
  }

  @Test(
    "A cluster that turns out to run Talos before 1.7 is refused with the reason, and not begun")
  func oldVersion() async throws {
    let served = try await ServedManagement(
      .init(membersError: DriverError(.unsupportedVersion, "cp-1 runs v1.6.4")))
    let error = try await failure { _ = try await served.rotate() }
    #expect(error.code == .failedPrecondition)
    #expect(
      error.detail(GoogleRPC.PreconditionFailure.self)?.violations.map(\.type)
        == ["TALOS_VERSION"])
    #expect(error.message.contains("v1.6.4"))
    #expect(served.driver.applied.isEmpty && served.driver.authorities == 0)
  }

  @Test("Each finding of the machines is a violation of its own, and flags let a rotation start")
  func findings() async throws {
    let served = try await ServedManagement(
      .init(
        findings: [
          Finding(.foreignAuthority, "worker-1", "worker-1 accepts CA 4cd1"),
          Finding(.unready, "worker-2", "node worker-2 is not Ready"),
          Finding(.unmanagedNode, "stray", "no machine answers for node stray"),
        ], preflightNotes: ["a clock could not be read"]))
    let error = try await failure { _ = try await served.rotate() }
    #expect(error.code == .failedPrecondition)
    let violations = error.detail(GoogleRPC.PreconditionFailure.self)?.violations ?? []
    #expect(violations.map(\.type) == ["FOREIGN_CA", "UNREADY", "UNMANAGED_NODE"])
    #expect(violations.map(\.subject) == ["worker-1", "worker-2", "stray"])
    let dry = try await failure {
      _ = try await served.rotate {
        $0.dryRun = true
        $0.removeForeign = true
      }
    }
    #expect(
      dry.detail(GoogleRPC.PreconditionFailure.self)?.violations.map(\.type)
        == ["UNREADY", "UNMANAGED_NODE"])
    let plan = try await served.rotate {
      $0.dryRun = true
      $0.removeForeign = true
      $0.allowUnready = true
      $0.allowUnmanagedNodes = true
    }
    #expect(plan.plan?.notes.first == "a clock could not be read")
    #expect(plan.plan?.notes.count == 4)
    #expect(served.driver.authorities == 0)
  }

  @Test("A rotation that has touched no machine is cancelled over the API; later it is refused")
  func abort() async throws {
    let served = try await ServedManagement(.init(down: ["cp-1"]))
    _ = try await served.rotate()
    var request = AbortRotationRequest()
    request.cluster = "demo"
    var status: RotationStatus?
    for _ in 0..<200 where status == nil {
      status = try? await served.client.unary(
        ManagementServiceMethods.abortRotation, request
      ).status
      if status == nil { try await Task.sleep(for: .milliseconds(10)) }
    }
    #expect(status?.state == .aborted)
    let again = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.abortRotation, request)
    }
    #expect(again.code == .failedPrecondition)
    #expect(
      again.detail(GoogleRPC.PreconditionFailure.self)?.violations.map(\.type) == ["NO_ROTATION"])
  }

  @Test("A machine that is down is waited for, with check, error, since when and the next try")
  func waits() async throws {
    let served = try await ServedManagement(.init(down: ["cp-2"]))
    _ = try await served.rotate()
    let seen = try await served.watch { status in
      status.machines.contains { $0.machine == "cp-2" && $0.state == .waiting }
    }
    let status = try #require(seen.last)
    #expect(status.state == .running)
    #expect(status.phase == .preRotate)
    #expect(status.error.contains("cp-2"))
    let machine = try #require(status.machines.first { $0.machine == "cp-2" })
    #expect(machine.controlPlane)
    #expect(machine.address == "10.0.0.2")
    #expect(machine.phase == .preRotate)
    #expect(machine.lastError.contains("no route to 10.0.0.2"))
    #expect(machine.waitingSince == Timestamp(seconds: 1_800_000_000))
    #expect(machine.nextAttemptAt != nil)
    #expect(machine.attempts > 0)
    let check = try #require(machine.checks.first { $0.name == "reachable" })
    #expect(check.state == .failed)
    #expect(check.since == Timestamp(seconds: 1_800_000_000))
    served.driver.update { $0.down = [] }
    #expect(try await served.finish().state == .succeeded)
  }
}
