import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

/// On a terminal a rotation begins only when somebody says so.
@Suite("Confirmation")
struct ConfirmationTests {
  private static let line = [
    "cluster", "-n", "demo", "secret", "rotate", "talos-ca", "--wait=false",
  ]

  /// Keeps what was asked for.
  private final class Asked: Sendable {
    let requests = Mutex<[RotateSecretRequest]>([])
    var dryRuns: [Bool] { requests.withLock { $0.map(\.dryRun) } }
  }

  private func service(_ asked: Asked, attached: Bool = false) -> FakeService {
    var service = FakeService()
    service.rotate = { request in
      asked.requests.withLock { $0.append(request) }
      var response = RotateSecretResponse(Samples.rotation(), attached: attached)
      if request.dryRun {
        var step = RotationPlanStep()
        step.phase = .preRotate
        step.controlPlane = true
        step.machines = ["cp-1", "cp-2"]
        var plan = RotationPlan()
        plan.steps = [step]
        response.plan = plan
      }
      return response
    }
    return service
  }

  @Test("The plan is shown and asked about; y and yes begin it", arguments: ["y", "Y", "yes"])
  func begins(answer: String) async {
    let asked = Asked()
    let bench = Bench(service(asked), answer: answer)
    #expect(await bench.run(Self.line + ["--request-id", "job-7"]) == .done)
    #expect(asked.dryRuns == [true, false])
    #expect(asked.requests.withLock { $0.map(\.requestID) } == ["job-7", "job-7"])
    #expect(bench.output.text.contains("one at a time: cp-1, cp-2"))
    #expect(bench.output.text.contains("rotate talos-ca of cluster demo? [y/N] "))
  }

  @Test("Anything else leaves everything as it is", arguments: ["", "n", "yess", "q"])
  func declines(answer: String) async {
    let asked = Asked()
    let bench = Bench(service(asked), answer: answer)
    #expect(await bench.run(Self.line) == .failed)
    #expect(asked.dryRuns == [true])
    #expect(bench.errors.text.contains("nothing has been changed"))
  }

  @Test("With --yes, with -o json, in a script and on a dry run nobody is asked")
  func unasked() async {
    for (flags, answer) in [
      (["--yes"], "n"), (["-y"], "n"), (["-o", "json"], "n"), (["--dry-run"], "n"), ([], nil),
    ] as [([String], String?)] {
      let asked = Asked()
      let bench = Bench(service(asked), answer: answer)
      #expect(await bench.run(Self.line + flags) == .done, "\(flags)")
      #expect(asked.dryRuns == [flags == ["--dry-run"]], "\(flags)")
      #expect(!bench.output.text.contains("[y/N]"), "\(flags)")
    }
  }

  @Test("Whoever attaches to a rotation that runs is not asked")
  func attaches() async {
    let asked = Asked()
    let bench = Bench(service(asked, attached: true), answer: "n")
    #expect(await bench.run(Self.line) == .done)
    #expect(asked.dryRuns == [true, false])
  }
}
