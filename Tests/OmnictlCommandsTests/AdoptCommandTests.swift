import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite("Taking rotations over")
struct AdoptCommandTests {
  private static func found(
    _ component: SecretComponent, back: Bool = false
  ) -> UnfinishedRotation {
    var found = UnfinishedRotation()
    found.component = component
    found.oldCAFingerprint = "0badcafe00000000"
    found.newCAFingerprint = "1f2e3d4c00000000"
    found.phase = back ? .preRotate : .rotate
    found.finishObstacle = back ? "its key is not known" : ""
    var plane = UnfinishedMachine()
    plane.machine = "cp-1"
    plane.controlPlane = true
    plane.state = back ? .prepared : .rotated
    plane.issuingCAFingerprint = back ? found.oldCAFingerprint : found.newCAFingerprint
    plane.acceptedCAFingerprints = [found.oldCAFingerprint, found.newCAFingerprint, "77"]
    found.machines = [plane]
    return found
  }

  private static func status(_ state: RotationState, _ component: SecretComponent) -> RotationStatus
  {
    var status = RotationStatus()
    status.cluster = "demo"
    status.rotationID = "r-9"
    status.state = state
    status.component = component
    return status
  }

  @Test(
    "A dry run shows what each machine holds, which way is gone, and what stands in the other one's way"
  )
  func plan() async throws {
    var service = FakeService()
    service.adopt = { request in
      #expect(request.dryRun && request.cluster == "demo" && request.talosconfig.isEmpty)
      var response = AdoptRotationResponse()
      response.unfinished = [Self.found(.talosCA, back: true)]
      response.rollsBack = true
      response.notes = ["clocks differ"]
      return response
    }
    let bench = Bench(service)
    #expect(
      await bench.run("cluster", "-n", "demo", "secret", "rotate", "adopt", "--dry-run") == .done)
    let text = bench.output.text
    for words in [
      "rotation of talos-ca of cluster demo was not finished", "cp-1", "after PRE-ROTATE",
      "77+new+old", "It is taken back from PRE-ROTATE",
      "it cannot be finished: its key is not known",
      "clocks differ",
    ] {
      #expect(text.contains(words), "\(words): \(text)")
    }
  }

  @Test(
    "Both components are taken over one after the other; the talosconfig is sent with the first alone"
  )
  func both() async throws {
    let folder = try TemporaryFolder()
    try folder.write("context: x", to: "talosconfig")
    let requests = Mutex<[AdoptRotationRequest]>([])
    var service = FakeService()
    service.adopt = { request in
      let count = requests.withLock {
        $0.append(request)
        return $0.count
      }
      var response = AdoptRotationResponse()
      let all = [SecretComponent.talosCA, .kubernetesCA].map { Self.found($0) }
      response.unfinished = Array(all.dropFirst(count - 1))
      response.status = Self.status(.succeeded, response.unfinished[0].component)
      return response
    }
    let bench = Bench(service)
    #expect(
      await bench.run("cluster", "adopt", "demo", "--talosconfig", folder.path("talosconfig"))
        == .done)
    let seen = requests.withLock { $0 }
    #expect(seen.map(\.component) == [.unspecified, .kubernetesCA])
    #expect(seen.map(\.talosconfig) == ["context: x", ""])
    #expect(bench.output.text.contains("taken over in ROTATE, to be finished"))
  }

  @Test(
    "What cannot be told apart is named: whoever asked for all ends with a refusal, whoever asked for the other CA does not",
    arguments: [nil, "talos-ca"])
  func unclear(component: String?) async throws {
    var service = FakeService()
    service.adopt = { request in
      var response = AdoptRotationResponse()
      response.unfinished = [Self.found(.talosCA)]
      response.status = Self.status(.succeeded, .talosCA)
      var unclear = UnclearComponent()
      unclear.component = .kubernetesCA
      unclear.reason = "3 CAs issue\u{1b}[31m"
      response.unclear = [unclear]
      response.notes = ["the kubernetes-ca cannot be told apart: 3 CAs issue"]
      return response
    }
    let words = component.map { ["--component", $0] } ?? []
    let bench = Bench(service)
    let code = await bench.run(["cluster", "-n", "demo", "secret", "rotate", "adopt"] + words)
    #expect(code == (component == nil ? .refused : .done))
    #expect(bench.output.text.contains("taken over in ROTATE"))
    #expect(bench.output.text.contains("kubernetes-ca cannot be told apart, and is left alone"))
    #expect(bench.errors.text.contains("kubernetes-ca cannot be told apart") == (component == nil))
    #expect(!(bench.output.text + bench.errors.text).contains("\u{1b}"))
    let plan = Bench(service)
    #expect(
      await plan.run(
        ["cluster", "-n", "demo", "secret", "rotate", "adopt", "--dry-run"] + words) == .done)
    #expect(plan.output.text.contains("the kubernetes-ca cannot be told apart: 3 CAs issue"))
  }

  @Test(
    "Beside a rotation that runs it is asked before the new CA of the other one goes on record, and that one is taken over when the rotation is over",
    arguments: ["y", "n"])
  func beside(answer: String) async throws {
    let requests = Mutex<[AdoptRotationRequest]>([])
    var service = FakeService()
    service.adopt = { request in
      let isOver = requests.withLock { all in
        defer { all.append(request) }
        return all.contains { !$0.dryRun }
      }
      var response = AdoptRotationResponse()
      response.attached = !isOver
      response.unfinished = [Self.found(.kubernetesCA)]
      response.notes = isOver ? [] : ["CA 1f2e is on record"]
      response.status = Self.status(.succeeded, isOver ? .kubernetesCA : .talosCA)
      return response
    }
    let bench = Bench(service, answer: answer)
    let code = await bench.run("cluster", "-n", "demo", "secret", "rotate", "adopt")
    let seen = requests.withLock { $0 }
    let text = bench.output.text
    for words in [
      "kubernetes-ca was rotated elsewhere to its end", "nothing has been changed", "cp-1",
      "77+new+old",
      "CA 1f2e is on record", "would be attached to",
    ] {
      #expect(text.contains(words), "\(words): \(text)")
    }
    guard answer == "y" else {
      #expect(code == .failed && seen.map(\.dryRun) == [true])
      return
    }
    #expect(code == .done)
    #expect(seen.filter { !$0.dryRun }.map(\.component) == [.unspecified, .kubernetesCA])
    #expect(
      text.contains("rotation of talos-ca of cluster demo is in progress: attached"), "\(text)")
    #expect(text.contains("taken over in ROTATE, to be finished"), "\(text)")
  }

  @Test("Where nothing is half done it says so; wrong usage is told before anybody is asked")
  func nothing() async throws {
    var service = FakeService()
    service.adopt = { _ in AdoptRotationResponse() }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "-n", "demo", "secret", "rotate", "adopt") == .done)
    #expect(bench.output.text.contains("nothing was left half done in cluster demo"))
    for line in [
      ["cluster", "-n", "demo", "secret", "rotate", "adopt", "--component", "etcd-ca"],
      ["cluster", "-n", "demo", "secret", "rotate", "adopt", "--endpoints", "10.0.0.1"],
      ["cluster", "adopt", "demo", "--talosconfig", "/nonexistent/file"],
    ] {
      let wrong = Bench()
      #expect(await wrong.run(line) == .wrongUsage, "\(line)")
    }
  }
}
