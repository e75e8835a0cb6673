import Crypto
import Encodings
import Glibc
import Orchestrator
import Rotation
import TalosSimulator
import Testing
import YAML

@testable import TalosDriver

extension LivingMachines {
  @Suite("Rotations that another tool has left half done, as the machines show them")
  struct SurveyTests {
    /// Another omnid, whose keys this one does not know. It begins a second after the cluster's CAs were made, because their
    /// age in whole seconds tells which CA is the new one.
    private func otherTool(_ harness: DriverHarness) async throws -> DriverHarness {
      try await Task.sleep(for: .milliseconds(1100))
      var settings = TalosDriverSettings()
      settings.callTimeout = .seconds(5)
      settings.retryDelay = .milliseconds(20)
      settings.lookWindow = .milliseconds(200)
      settings.longLookWindow = .milliseconds(200)
      settings.probeTimeout = .milliseconds(500)
      return DriverHarness(
        cluster: harness.cluster,
        driver: TalosDriver(
          sealer: try Sealer(masterKey: Random.bytes(32)), settings: settings,
          now: DriverHarness.now))
    }

    private func survey(
      _ harness: DriverHarness, known: ClusterRecord? = nil, retired: [SealedAuthority] = [],
      talosconfig: String? = nil
    ) async throws(DriverError) -> SurveyedCluster {
      try await harness.driver.survey(
        SurveyRequest(
          cluster: "demo", rotation: "r9", known: known, retired: RetiredAuthorities(retired),
          access: known != nil && talosconfig == nil
            ? nil
            : DiscoveryRequest(
              name: "demo", talosconfig: talosconfig ?? harness.cluster.talosconfig)))
    }

    /// Brings the first `count` machines through the stage, as another tool does.
    private func stage(
      _ phase: RotationPhase, on count: Int, _ change: TrustChange, _ record: ClusterRecord,
      _ other: DriverHarness
    ) async throws {
      var change = change
      change.phase = phase
      let access = ClusterAccess(cluster: record, rotation: change)
      for machine in record.machines.prefix(count) {
        let baseline = try await other.driver.prepare(change, machine: machine, access: access)
        try await other.applied(change, to: machine, access)
        let open = await other.verified(change, machine, record, baseline: baseline)
          .filter { !$0.isSettled }
        #expect(open == [], "\(machine.id)")
      }
    }

    @Test(
      "Stopped in ROTATE, it is read from a talosconfig of before, with both keys, and carried to its end",
      arguments: SecretComponent.allCases)
    func inRotate(component: SecretComponent) async throws {
      let harness = try await DriverHarness.start(
        component == .talosCA ? "127.1.70.0" : "127.1.71.0", controlPlanes: 3, workers: 1)
      let other = try await otherTool(harness)
      let record = try await other.importCluster()
      let change = try await other.change(component, record)
      try await stage(.preRotate, on: 4, change, record, other)
      try await stage(.rotate, on: 1, change, record, other)

      let refusal = await harness.refusal()
      #expect(refusal?.code == .conflict || refusal?.code == .unauthenticated, "\(refusal as Any)")
      #expect(refusal?.message.contains("cluster adopt") == true, "\(refusal as Any)")

      let surveyed = try await survey(harness)
      let found = try #require(surveyed.unfinished.first)
      #expect(surveyed.unfinished.count == 1 && surveyed.findings == [])
      #expect(surveyed.warnings.contains { $0.contains("whoever made it has its key") })
      #expect(found.component == component && found.phase == .rotate)
      #expect(found.old.fingerprint == change.old.fingerprint && found.old.hasKey)
      #expect(found.new.fingerprint == change.new.fingerprint && found.new.hasKey)
      #expect(found.new.binding.rotation == "r9" && found.old.binding.rotation.isEmpty)
      #expect(found.finishObstacle == nil && found.returnObstacle == nil)
      #expect(
        found.machines.map(\.standing) == [.rotated, .prepared, .prepared, .prepared])
      // With what was found the rotation goes on, and ends.
      var own = record
      own.authorities = surveyed.record.authorities
      var taken = TrustChange(
        component: component, phase: .rotate, old: found.old, new: found.new)
      #expect(try await harness.runStage(taken, own) == [])
      taken.phase = .postRotate
      #expect(try await harness.runStage(taken, own) == [])
      await harness.cluster.stop()
    }

    @Test("Stopped in PRE_ROTATE, the new authority's key is lost: it can only be taken out again")
    func inPreRotate() async throws {
      let harness = try await DriverHarness.start("127.1.72.0", controlPlanes: 2, workers: 1)
      let other = try await otherTool(harness)
      let record = try await other.importCluster()
      let change = try await other.change(.talosCA, record)
      try await stage(.preRotate, on: 2, change, record, other)
      let found = try #require(try await survey(harness).unfinished.first)
      #expect(found.phase == .preRotate && !found.new.hasKey && found.old.hasKey)
      #expect(found.finishObstacle?.contains("its key is not known here") == true)
      #expect(found.returnObstacle == nil)
      #expect(found.machines.map(\.standing) == [.prepared, .prepared, .before])
      var own = record
      own.authorities = [.talosCA: found.old, .kubernetesCA: record.authorities[.kubernetesCA]!]
      let back = TrustChange(
        component: .talosCA, phase: .preRotate, direction: .backward, old: found.old, new: found.new
      )
      #expect(try await harness.runStage(back, own) == [])
      #expect(try await survey(harness).unfinished == [])
      await harness.cluster.stop()
    }

    @Test("Stopped in POST_ROTATE, it is finished with a talosconfig of the new authority alone")
    func inPostRotate() async throws {
      let harness = try await DriverHarness.start("127.1.73.0", controlPlanes: 2, workers: 2)
      let other = try await otherTool(harness)
      let record = try await other.importCluster()
      let change = try await other.change(.talosCA, record)
      try await stage(.preRotate, on: 4, change, record, other)
      try await stage(.rotate, on: 4, change, record, other)
      try await stage(.postRotate, on: 1, change, record, other)
      var renewed = record
      renewed.authorities[.talosCA] = change.new
      let talosconfig = try await other.driver.talosconfig(
        ClusterAccess(cluster: renewed), roles: ["os:admin"], ttl: .seconds(3600)
      ).text
      let found = try #require(try await survey(harness, talosconfig: talosconfig).unfinished.first)
      #expect(found.phase == .postRotate && !found.old.hasKey && found.new.hasKey)
      #expect(found.old.fingerprint == change.old.fingerprint)
      #expect(found.returnObstacle != nil && found.finishObstacle == nil)
      #expect(
        found.machines.map(\.standing) == [.finished, .rotated, .rotated, .rotated])
      var own = record
      own.authorities[.talosCA] = found.new
      let post = TrustChange(
        component: .talosCA, phase: .postRotate, old: found.old, new: found.new)
      #expect(try await harness.runStage(post, own) == [])
      await harness.cluster.stop()
    }

    @Test(
      "A CA that was rotated since the import is recognised, and the record's one is the old one")
    func rotatedElsewhere() async throws {
      let harness = try await DriverHarness.start("127.1.74.0", controlPlanes: 2, workers: 1)
      let record = try await harness.importCluster()
      let other = try await otherTool(harness)
      let theirs = try await other.importCluster()
      let (change, open) = try await other.rotate(.talosCA, theirs)
      #expect(open == [])
      // The machines refuse what the record has.
      let refused = await #expect(throws: DriverError.self) {
        try await survey(harness, known: record)
      }
      #expect(refused?.code == .unauthenticated, "\(refused as Any)")
      var renewed = theirs
      renewed.authorities[.talosCA] = change.new
      let talosconfig = try await other.driver.talosconfig(
        ClusterAccess(cluster: renewed), roles: ["os:admin"], ttl: .seconds(3600)
      ).text
      let surveyed = try await survey(harness, known: record, talosconfig: talosconfig)
      let found = try #require(surveyed.unfinished.first)
      #expect(found.old == record.authorities[.talosCA] && found.phase == .postRotate)
      #expect(found.new.fingerprint == change.new.fingerprint && found.new.hasKey)
      #expect(surveyed.record.authorities[.talosCA]?.fingerprint == change.new.fingerprint)
      await harness.cluster.stop()
    }

    @Test("A worker that was given its old configuration again is brought back in one step")
    func putBack() async throws {
      let harness = try await DriverHarness.start("127.1.75.0", controlPlanes: 2, workers: 2)
      let record = try await harness.importCluster()
      let worker = harness.cluster.nodes[2]
      let before = await worker.configuration
      let (change, open) = try await harness.rotate(.talosCA, record)
      #expect(open == [])
      var renewed = record
      renewed.authorities[.talosCA] = change.new
      try await worker.write(before)
      _ = await harness.cluster.settle()
      let found = try #require(
        try await survey(harness, known: renewed, retired: [change.old]).unfinished.first)
      #expect(found.phase == .postRotate && found.old == change.old)
      #expect(found.returnObstacle?.contains("was over") == true)
      var own = renewed
      own.authorities[.talosCA] = found.new
      let post = TrustChange(
        component: .talosCA, phase: .postRotate, old: found.old, new: found.new)
      #expect(try await harness.runStage(post, own) == [])
      await harness.cluster.stop()
    }

    @Test(
      "A control plane that shows a retired CA may be anybody who has its key: no key is sent to it"
    )
    func impostor() async throws {
      let harness = try await DriverHarness.start("127.1.77.0", controlPlanes: 3, workers: 1)
      let record = try await harness.importCluster()
      let plane = harness.cluster.nodes[1]
      let before = await plane.configuration
      let (change, open) = try await harness.rotate(.talosCA, record)
      #expect(open == [])
      var renewed = record
      renewed.authorities[.talosCA] = change.new
      try await plane.write(before)
      _ = await harness.cluster.settle()
      let refused = await #expect(throws: DriverError.self) {
        try await survey(harness, known: renewed, retired: [change.old])
      }
      #expect(refused?.code == .conflict && refused?.message.contains(plane.name) == true)
      #expect(refused?.message.contains("no key is sent to it") == true, "\(refused as Any)")
      await harness.cluster.stop()
    }

    @Test(
      "A control plane that issues from a CA of its own making has to hold the etcd CA's key of the others"
    )
    func selfMade() async throws {
      let harness = try await DriverHarness.start("127.1.78.0", controlPlanes: 3, workers: 1)
      let other = try await otherTool(harness)
      let record = try await other.importCluster()
      let change = try await other.change(.talosCA, record)
      try await stage(.preRotate, on: 4, change, record, other)
      try await stage(.rotate, on: 1, change, record, other)
      #expect(try await survey(harness).unfinished.count == 1)
      let plane = harness.cluster.nodes[0]
      let text = String(decoding: await plane.configuration, as: UTF8.self)
      let etcd = try Authority.generate(.kubernetes, now: DriverHarness.now())
      var editor = try YAMLEditor(Array(text.utf8))
      let place: [YAMLPathElement] = ["cluster", "etcd", "ca"]
      try editor.set(
        .string(Base64.encode(etcd.certificate.pem)), at: place + ["crt"], document: 0)
      try editor.set(
        .string(Base64.encode(etcd.key.secretPEM.unprotectedText)), at: place + ["key"],
        document: 0)
      try await plane.write(editor.bytes)
      _ = await harness.cluster.settle()
      let refused = await #expect(throws: DriverError.self) { try await survey(harness) }
      #expect(refused?.code == .conflict, "\(refused as Any)")
      #expect(refused?.message.contains("calls itself a control plane") == true)
      await harness.cluster.stop()
    }

    @Test("A cluster in which nothing is half done is settled")
    func settled() async throws {
      let harness = try await DriverHarness.start("127.1.76.0", controlPlanes: 1, workers: 1)
      let surveyed = try await survey(harness)
      #expect(surveyed.unfinished == [] && surveyed.findings == [])
      #expect(surveyed.record.authorities.count == 2)
      let record = try await harness.importCluster()
      #expect(try await survey(harness, known: record).unfinished == [])
      await harness.cluster.stop()
    }
  }
}
