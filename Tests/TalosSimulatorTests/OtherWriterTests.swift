import Crypto
import RPC
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("Somebody else writes, too")
  struct OtherWriterTests {
    private func pair(_ ca: ForeignCA) -> PEMPair {
      PEMPair(certificate: ca.certificate, key: ca.key)
    }

    @Test("A foreign CA in one machine's list lets its holder in there, until it is taken out")
    func foreignTalos() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 0) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        let ca = try ForeignCA(.talos, organization: "mallory")
        let intruder = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          pair(ca), roles: [Role.admin])
        let before = await first.configuration
        try await first.accept(ca, for: .talos)
        #expect(await test.cluster.settle())
        #expect(await test.accepted(by: first).contains(ca.fingerprint))
        #expect(try await test.version(of: first, as: intruder) != "")
        #expect(await status { _ = try await test.version(of: second, as: intruder) } != nil)
        try await first.drop(ca.fingerprint, for: .talos)
        #expect(await test.cluster.settle())
        #expect(await status { _ = try await test.version(of: first, as: intruder) } != nil)
        #expect(
          try MachineConfig(submitted: before, talosMinor: 13)
            == (await first.state.active.config))
      }
    }

    @Test(
      "A foreign Kubernetes CA lets its holder into one API server",
      arguments: ClusterOptions.Layout.allCases)
    func foreignKubernetes(layout: ClusterOptions.Layout) async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 1, layout: layout) { test in
        let ca = try ForeignCA(.kubernetes)
        for node in [test.controlPlanes[0], test.workers[0]] {
          try await node.accept(ca, for: .kubernetes)
        }
        #expect(await test.cluster.settle())
        let intruder = try test.kubernetesAdmin(pair(ca))
        let path = "/api/v1/nodes"
        #expect(
          try await test.kubernetes(test.controlPlanes[0], path, as: intruder).status == 200)
        #expect(
          try await test.kubernetes(test.controlPlanes[1], path, as: intruder).status == 401)
        #expect(
          await test.workers[0].state.kubeletTrust.accepted.contains(ca.certificate))
      }
    }

    @Test("A CA that only a trustd hands on is accepted by workers, and stands in no config")
    func handedOn() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        let ca = try ForeignCA(.talos)
        await control.handOn([ca])
        await worker.refreshCertificates()
        #expect(await test.cluster.settle())
        #expect(await test.accepted(by: worker).contains(ca.fingerprint))
        #expect(await !test.accepted(by: control).contains(ca.fingerprint))
        let intruder = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          pair(ca), roles: [Role.admin])
        #expect(try await test.version(of: worker, as: intruder) != "")
        #expect(await status { _ = try await test.version(of: control, as: intruder) } != nil)
      }
    }

    @Test("What somebody keeps putting back comes back so often and no more")
    func standing() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let before = await node.configuration
        let text = String(decoding: before, as: UTF8.self)
        await node.keepWriting(times: 2)
        for number in 1...2 {
          _ = try await test.apply("# change \(number)\n" + text, to: node)
          try await eventually("the config of before is back") {
            await node.configuration == before
          }
        }
        _ = try await test.apply("# change 3\n" + text, to: node)
        #expect(await test.cluster.settle())
        #expect(await node.configuration != before)
      }
    }

    @Test("Somebody else's trial and staged config are pending until somebody writes")
    func pending() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let before = await node.configuration
        let other = Array("# tried\n".utf8) + before
        try await node.write(other, mode: .trial(.milliseconds(300)))
        #expect(await node.state.active.source == other)
        #expect(await node.state.persisted.source == before)
        try await eventually("the trial is over") { await node.configuration == before }
        try await node.write(other, mode: .staged)
        #expect(await node.configuration == before)
        #expect(await node.state.persisted.source == other)
        await #expect(throws: SimulatorError.self) { try await node.write(Array("a: [".utf8)) }
      }
    }
  }
}
