import Crypto
import Encodings
import Orchestrator
import Rotation
import Synchronization
import TalosSimulator
import Testing
import YAML

@testable import TalosDriver

extension LivingMachines {
  @Suite("A control plane on record that shows the authority that goes")
  struct GenuinePlaneTests {
    /// A rotation of the Talos CA after which a control plane has been given another configuration.
    private func put(
      back: (SimulatedNode, [UInt8]) async throws -> [UInt8], _ base: String, controlPlanes: Int = 3
    ) async throws -> (harness: DriverHarness, change: TrustChange, access: ClusterAccess) {
      let harness = try await DriverHarness.start(base, controlPlanes: controlPlanes, workers: 1)
      let record = try await harness.importCluster()
      let plane = harness.cluster.nodes[0]
      let before = await plane.configuration
      let (change, open) = try await harness.rotate(.talosCA, record)
      #expect(open == [])
      try await plane.write(try await back(plane, before))
      _ = await harness.cluster.settle()
      return (harness, change, ClusterAccess(cluster: record, rotation: change))
    }

    /// The configuration as somebody makes it who has the Talos CA's key and no other secret of a control plane.
    private func forged(_ config: [UInt8]) throws -> [UInt8] {
      let etcd = try Authority.generate(.kubernetes, now: DriverHarness.now())
      var editor = try YAMLEditor(config)
      let place: [YAMLPathElement] = ["cluster", "etcd", "ca"]
      try editor.set(
        .string(Base64.encode(etcd.certificate.pem)), at: place + ["crt"], document: 0)
      try editor.set(
        .string(Base64.encode(etcd.key.secretPEM.unprotectedText)), at: place + ["key"],
        document: 0)
      return editor.bytes
    }

    private func holdsNewKey(_ harness: DriverHarness, _ change: TrustChange) async throws -> Bool {
      let new = try harness.driver.keyring.certificate(change.new)
      let config = try MachineConfig(await harness.cluster.nodes[0].configuration)
      return try config.trust(.talosCA).issuing == new
    }

    @Test(
      "Without the key of the others' etcd CA it is sent nothing, whether that CA was seen before or not",
      arguments: [true, false])
    func forged(isKnown: Bool) async throws {
      let (harness, change, access) = try await put(
        back: { try forged($1) }, isKnown ? "127.1.190.0" : "127.1.191.0")
      if !isKnown { harness.driver.notes.withLock { $0.etcdAuthorities = [:] } }
      let machine = access.cluster.machines[0]
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: machine, access: access)
      }
      #expect(error?.code == .conflict && error?.sent == false, "\(error as Any)")
      for word in [machine.id, "no key is sent to it", "console"] {
        #expect(error?.message.contains(word) == true, "\(error as Any)")
      }
      #expect(try await !holdsNewKey(harness, change))
      await harness.cluster.stop()
    }

    @Test(
      "With its own old configuration it is changed again, also by an omnid that was started since",
      arguments: [true, false])
    func putBack(isKnown: Bool) async throws {
      let (harness, change, access) = try await put(
        back: { $1 }, isKnown ? "127.1.192.0" : "127.1.193.0")
      if !isKnown { harness.driver.notes.withLock { $0.etcdAuthorities = [:] } }
      let machine = access.cluster.machines[0]
      #expect(
        try await harness.driver.apply(change, to: machine, access: access) == .changed)
      #expect(try await holdsNewKey(harness, change))
      await harness.cluster.stop()
    }

    @Test("The only control plane is known by the etcd CA that it showed while it was accepted")
    func single() async throws {
      let (harness, change, access) = try await put(
        back: { $1 }, "127.1.194.0", controlPlanes: 1)
      let machine = access.cluster.machines[0]
      let known = harness.driver.notes.withLock { $0.etcdAuthorities }
      harness.driver.notes.withLock { $0.etcdAuthorities = [:] }
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: machine, access: access)
      }
      #expect(error?.code == .conflict && error?.sent == false, "\(error as Any)")
      harness.driver.notes.withLock { $0.etcdAuthorities = known }
      #expect(
        try await harness.driver.apply(change, to: machine, access: access) == .changed)
      await harness.cluster.stop()
    }

    @Test("While the other control planes cannot be asked, that is what is said")
    func others() async throws {
      let (harness, change, access) = try await put(back: { $1 }, "127.1.195.0")
      harness.driver.notes.withLock { $0.etcdAuthorities = [:] }
      for plane in harness.cluster.nodes[1...2] { await plane.powerOff() }
      let error = await #expect(throws: DriverError.self) {
        try await harness.driver.apply(change, to: access.cluster.machines[0], access: access)
      }
      #expect(error?.code == .unreachable && error?.sent == false, "\(error as Any)")
      await harness.cluster.stop()
    }

    @Test(
      "On the way back a newcomer that issues from the new CA is no member, because that CA goes")
    func newcomerOnTheWayBack() async throws {
      let harness = try await DriverHarness.start("127.1.196.0", controlPlanes: 2, workers: 0)
      let record = try await harness.importCluster()
      var before = record
      before.machines.removeLast()
      var change = try await harness.change(.talosCA, record)
      for phase in [RotationPhase.preRotate, .rotate] {
        change.phase = phase
        #expect(try await harness.runStage(change, record) == [])
      }
      change.direction = .backward
      for (phase, machines) in [
        (RotationPhase.rotate, record.machines), (.preRotate, before.machines),
      ] {
        change.phase = phase
        let access = ClusterAccess(cluster: before, rotation: change)
        #expect(try await harness.driver.members(access) == machines, "\(phase)")
      }
      await harness.cluster.stop()
    }
  }
}
