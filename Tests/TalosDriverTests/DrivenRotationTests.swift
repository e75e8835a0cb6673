import Crypto
import Encodings
import Orchestrator
import RPC
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Rotating simulated clusters with the driver")
struct DrivenRotationTests {
  @Test(
    "A rotation ends with the new CA alone everywhere, and nothing but the CA fields changed",
    arguments: SecretComponent.allCases, ClusterOptions.Layout.allCases)
  func whole(component: SecretComponent, layout: ClusterOptions.Layout) async throws {
    let subnet = (component == .talosCA ? 20 : 22) + (layout == .legacy ? 0 : 1)
    let harness = try await DriverHarness.start("127.1.\(subnet).0", layout: layout)
    var record = try await harness.importCluster()
    var before: [[UInt8]] = []
    for machine in record.machines { before.append(try await harness.config(machine, record)) }
    let (change, open) = try await harness.rotate(component, record)
    #expect(open == [])
    for (index, machine) in record.machines.enumerated() {
      let bytes = try await harness.config(machine, record, change)
      let config = try MachineConfig(bytes)
      let new = try harness.driver.keyring.certificate(change.new)
      #expect(try config.trust(component).accepted == [new])
      // With the old authority's text put back in the new one's place, it is the file it was.
      #expect(
        try restored(bytes, change, harness) == String(decoding: before[index], as: UTF8.self))
    }
    record.authorities[component] = change.new
    let access = ClusterAccess(cluster: record)
    // What was there before is refused, what is issued now works.
    let old = await harness.refusal()
    #expect(
      (old?.code == .unauthenticated) == (component == .talosCA), "\(String(describing: old))")
    let fresh = try await harness.driver.talosconfig(
      access, roles: ["os:admin"], ttl: .seconds(3_600))
    #expect(await harness.refusal(fresh.text) == nil)
    await harness.cluster.stop()
  }

  private func restored(
    _ bytes: [UInt8], _ change: TrustChange, _ harness: DriverHarness
  ) throws -> String {
    let keyring = harness.driver.keyring
    let pairs = [
      (change.new.certificatePEM, change.old.certificatePEM),
      (
        try keyring.keyPEM(change.new).unprotectedText,
        try keyring.keyPEM(change.old).unprotectedText
      ),
    ]
    var text = String(decoding: bytes, as: UTF8.self)
    for (new, old) in pairs {
      text = text.replacing(Base64.encode(new), with: Base64.encode(old))
      for indent in [4, 6, 8] {
        let pad = String(repeating: " ", count: indent)
        func block(_ pem: String) -> String {
          pem.split(separator: "\n").map { pad + $0 }.joined(separator: "\n")
        }
        text = text.replacing("\n" + block(new), with: "\n" + block(old))
      }
    }
    return text
  }

  @Test("Both components, one after the other, with machines that take their time")
  func believableTiming() async throws {
    let harness = try await DriverHarness.start(
      "127.1.24.0", controlPlanes: 2, workers: 1, timing: Timing())
    var record = try await harness.importCluster()
    for component in SecretComponent.allCases {
      let (change, open) = try await harness.rotate(component, record)
      #expect(open == [])
      record.authorities[component] = change.new
    }
    await harness.cluster.stop()
  }

  @Test("Applying again sends nothing")
  func idempotent() async throws {
    let harness = try await DriverHarness.start("127.1.25.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    let change = try await harness.change(.talosCA, record)
    let access = ClusterAccess(cluster: record, rotation: change)
    for machine in record.machines {
      #expect(try await harness.driver.apply(change, to: machine, access: access) == .changed)
      #expect(try await harness.driver.apply(change, to: machine, access: access) == .unchanged)
    }
    await harness.cluster.stop()
  }

  @Test(
    "A machine that fails an apply is asked again; one whose answer was lost is not changed twice")
  func faultyApplies() async throws {
    let harness = try await DriverHarness.start("127.1.26.0", controlPlanes: 2, workers: 1)
    let record = try await harness.importCluster()
    let change = try await harness.change(.talosCA, record)
    for (index, fault) in [
      Faults.ApplyFault.beforeEffect(.failedPrecondition), .afterEffect(.unavailable),
      .beforeEffect(.unavailable),
    ].enumerated() {
      await harness.cluster.nodes[index].setFaults { $0.applies = [fault] }
    }
    #expect(try await harness.runStage(change, record) == [])
    await harness.cluster.nodes[0].setFaults {
      $0.applies = Array(repeating: .beforeEffect(.invalidArgument), count: 3)
    }
    var next = change
    next.phase = .rotate
    let access = ClusterAccess(cluster: record, rotation: next)
    let error = await #expect(throws: DriverError.self) {
      try await harness.driver.apply(next, to: record.machines[0], access: access)
    }
    #expect(error?.code == .invalidConfig)
    await harness.cluster.stop()
  }

  @Test(
    "Nothing counts before it is true: a machine still in one stage fails the next",
    arguments: SecretComponent.allCases)
  func notYet(component: SecretComponent) async throws {
    let harness = try await DriverHarness.start(
      component == .talosCA ? "127.1.27.0" : "127.1.28.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    var change = try await harness.change(component, record)
    for phase in RotationPhase.allCases {
      change.phase = phase
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines {
        let results = await harness.driver.verify(
          change, machine: machine, baseline: nil, access: access)
        let open = Set(results.filter { !$0.isSettled }.map(\.name))
        #expect(open.contains("config-applied"), "\(phase.name) \(machine.id)")
        #expect(
          open.contains(
            phase == .rotate && machine.role == .worker && component == .kubernetesCA
              ? "config-applied"
              : phase == .rotate
                ? (machine.role == .worker ? "server-leaf" : "issuing") : "accepted"))
        #expect(results.first { $0.name == "config-applied" }?.state == .failed)
        if phase == .postRotate, machine.role == .controlPlane {
          #expect(open.contains("old-refused"))
        }
      }
      #expect(
        await !harness.driver.verifyCluster(change, baselines: [:], access: access).all
          .allSatisfy(\.isSettled))
      #expect(try await harness.runStage(change, record) == [])
    }
    await harness.cluster.stop()
  }

  @Test("A machine that is down is unreachable, and never a proof of anything")
  func down() async throws {
    let harness = try await DriverHarness.start("127.1.29.0", controlPlanes: 2, workers: 1)
    let record = try await harness.importCluster()
    var change = try await harness.change(.talosCA, record)
    for phase in [RotationPhase.preRotate, .rotate] {
      change.phase = phase
      #expect(try await harness.runStage(change, record) == [])
    }
    change.phase = .postRotate
    let access = ClusterAccess(cluster: record, rotation: change)
    // With one control plane down the worker is still reached, through the other.
    await harness.cluster.nodes[0].powerOff()
    let worker = record.machines[2]
    #expect(try await harness.config(worker, record, change).isEmpty == false)
    let results = await harness.driver.verify(
      change, machine: record.machines[0], baseline: nil, access: access)
    #expect(results.map(\.name) == ["reachable"] && results[0].state == .failed)
    let error = await #expect(throws: DriverError.self) {
      try await harness.driver.apply(change, to: record.machines[0], access: access)
    }
    #expect(error?.code == .unreachable)
    #expect(
      await harness.driver.verifyCluster(change, baselines: [:], access: access).all.contains {
        !$0.isSettled
      })
    try await harness.cluster.nodes[0].powerOn()
    #expect(try await harness.runStage(change, record) == [])
    await harness.cluster.stop()
  }

  @Test("Only the machine's own node has to be Ready")
  func notReady() async throws {
    let harness = try await DriverHarness.start("127.1.30.0", controlPlanes: 1, workers: 2)
    let record = try await harness.importCluster()
    let change = try await harness.change(.kubernetesCA, record)
    let access = ClusterAccess(cluster: record, rotation: change)
    let sick = record.machines[2]
    await harness.cluster.node(sick.id)?.setFaults { $0.notReady = true }
    for machine in record.machines {
      _ = try await harness.driver.apply(change, to: machine, access: access)
      let results = await harness.verified(change, machine, record, within: .seconds(3))
      let open = results.filter { !$0.isSettled }.map(\.name)
      #expect(open == (machine == sick ? ["node-ready"] : []))
    }
    await harness.cluster.node(sick.id)?.setFaults { $0.notReady = false }
    #expect(await harness.verified(change, sick, record).allSatisfy(\.isSettled))
    await harness.cluster.stop()
  }

  @Test("A worker that asked trustd too early is made to ask again, and ends with a clean config")
  func staleWorker() async throws {
    let harness = try await DriverHarness.start(
      "127.1.31.0", controlPlanes: 2, workers: 1)
    let record = try await harness.importCluster()
    var change = try await harness.change(.talosCA, record)
    #expect(try await harness.runStage(change, record) == [])
    change.phase = .rotate
    let access = ClusterAccess(cluster: record, rotation: change)
    // The worker first: the control planes' trustd still issues from the old CA.
    let worker = record.machines[2]
    _ = try await harness.driver.apply(change, to: worker, access: access)
    _ = await harness.cluster.settle()
    for machine in record.machines.prefix(2) {
      _ = try await harness.driver.apply(change, to: machine, access: access)
      #expect(await harness.verified(change, machine, record).allSatisfy(\.isSettled))
    }
    var seen: Set<String> = []
    var results: [CheckResult] = []
    let end = ContinuousClock.now + .seconds(15)
    repeat {
      results = await harness.driver.verify(change, machine: worker, baseline: nil, access: access)
      for result in results where !result.isSettled { seen.insert(result.name) }
      if results.contains(where: { $0.isNamed(.trustRefresh) && !$0.isSettled }) {
        try await harness.driver.refreshTrust(change, of: worker, access: access)
      }
      try await Task.sleep(for: .milliseconds(30))
    } while !results.allSatisfy(\.isSettled) && ContinuousClock.now < end
    let open = results.filter { !$0.isSettled }
    #expect(open.isEmpty)
    #expect(seen.contains("server-leaf") && seen.contains("trust-refresh"))
    let trust = try MachineConfig(await harness.config(worker, record, change)).trust(.talosCA)
    #expect(trust.listed.count == 1)
    await harness.cluster.stop()
  }

  @Test("Every stage can be walked back")
  func backwards() async throws {
    let harness = try await DriverHarness.start("127.1.32.0", controlPlanes: 1, workers: 1)
    let record = try await harness.importCluster()
    for component in SecretComponent.allCases {
      var before: [[UInt8]] = []
      for machine in record.machines { before.append(try await harness.config(machine, record)) }
      var change = try await harness.change(component, record)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [])
      }
      for phase in [RotationPhase.rotate, .preRotate] {
        change.phase = phase
        change.direction = .backward
        #expect(try await harness.runStage(change, record) == [])
      }
      for (index, machine) in record.machines.enumerated() {
        #expect(try await harness.config(machine, record) == before[index])
      }
    }
    await harness.cluster.stop()
  }

  @Test("Credentials are refused for roles and lives that make no sense")
  func credentials() async throws {
    let harness = try await DriverHarness.start("127.1.33.0", controlPlanes: 1, workers: 0)
    let record = try await harness.importCluster()
    let access = ClusterAccess(cluster: record)
    for (roles, ttl) in [
      (["os:king"], Duration.seconds(60)), (["os:admin"], .seconds(5)),
      (["os:admin"], .seconds(400 * 86_400)),
    ] {
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.talosconfig(access, roles: roles, ttl: ttl)
      }
      #expect(error?.code == .invalidInput)
    }
    let reader = try await harness.driver.talosconfig(
      access, roles: ["os:reader"], ttl: .seconds(600))
    let context = try Talosconfig.context("demo", in: reader.text)
    #expect(context.identity.certificate.subjectOrganizations == ["os:reader"])
    #expect(abs(context.identity.certificate.notAfter - DriverHarness.now() - 600) < 5)
    #expect(reader.serial == context.identity.certificate.serialHex)
    #expect(reader.authority == record.authorities[.talosCA]?.fingerprint)
    #expect(await harness.refusal(reader.text)?.code == .permissionDenied)
    let kubeconfig = try await harness.driver.kubeconfig(access, ttl: .seconds(600))
    #expect(kubeconfig.text.contains(record.kubernetesEndpoint))
    await harness.cluster.stop()
  }
}
