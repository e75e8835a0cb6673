import Crypto
import Foundation
import RPC
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("CAs change")
  struct RotationTests {
    @Test("Talos CA: accepted, swapped, dropped; the old certificate is refused everywhere")
    func talos() async throws {
      try await TestCluster.run(controlPlanes: 3, workers: 2) { test in
        let new = try PEMPair(Authority.generate(.talos, now: WallClock.seconds()))
        let newAdmin = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          new, roles: [Role.admin])
        let (old, nodes) = (test.talosCA, test.controlPlanes + test.workers)
        let both = try Set([old, new].map(TestCluster.fingerprint))

        for node in nodes {
          _ = try await test.apply(await test.config(for: node, talos: (old, [new])), to: node)
          try await eventually("\(node.name) accepts both") {
            await test.accepted(by: node) == both
          }
          // The new client is let in, the server still shows the old CA's certificate.
          #expect(try await test.version(of: node, as: newAdmin) != "")
        }
        for node in nodes {
          _ = try await test.apply(
            await test.config(for: node, talos: (new, [old])), to: node,
            client: try test.client(of: node, trusting: [old, new]))
          try await eventually("\(node.name) shows the new CA's certificate") {
            (try? await test.version(of: node, trusting: [new])) != nil
          }
          // Control planes in both states reach each other.
          for via in test.controlPlanes {
            try await eventually("\(node.name) is reached through \(via.name)") {
              (try? await test.version(of: node, trusting: [old, new], via: via)) != nil
            }
          }
        }
        for node in nodes {
          let client = try test.client(of: node, as: newAdmin, trusting: [new])
          _ = try await test.apply(
            await test.config(for: node, talos: (new, [])), to: node, client: client)
          try await eventually("\(node.name) accepts the new CA alone") {
            await test.accepted(by: node) == [try TestCluster.fingerprint(new)]
          }
          #expect(
            await status { _ = try await test.version(of: node, trusting: [new]) }
              == .unavailable)
          #expect(try await test.version(of: node, as: newAdmin, trusting: [new]) != "")
        }
        #expect(await test.cluster.settle())
      }
    }

    @Test("A worker serves what trustd says: one that asked too early keeps the old CA")
    func trustd() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        let new = try PEMPair(Authority.generate(.talos, now: WallClock.seconds()))
        let both = [test.talosCA, new]
        // The worker goes first, which is the wrong order: trustd does not know the new CA yet.
        _ = try await test.apply(
          await test.config(for: worker, talos: (test.talosCA, [new])), to: worker)
        #expect(await test.cluster.settle())
        #expect(await test.accepted(by: worker) == [try TestCluster.fingerprint(test.talosCA)])
        _ = try await test.apply(
          await test.config(for: control, talos: (test.talosCA, [new])), to: control)
        #expect(await test.cluster.settle())
        #expect(await test.accepted(by: worker).count == 1)
        // Only the refresh after twelve hours, or another change, makes it ask again.
        await worker.refreshCertificates()
        #expect(await test.cluster.settle())
        #expect(
          await test.accepted(by: worker) == Set(try both.map(TestCluster.fingerprint)))
        #expect(await test.apiCertificates(of: worker)?.accepted.count == 1)
      }
    }

    @Test("A worker that trusts no trustd keeps its certificates and asks until one answers")
    func trustdDown() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        let new = try PEMPair(Authority.generate(.talos, now: WallClock.seconds()))
        await control.setFaults { $0.trustdDown = true }
        let before = await test.apiCertificates(of: worker)
        _ = try await test.apply(
          await test.config(for: worker, talos: (test.talosCA, [new])), to: worker)
        try await Task.sleep(for: .milliseconds(100))
        #expect(await worker.isSettled == false)
        #expect(await test.apiCertificates(of: worker) == before)
        await control.setFaults { $0.trustdDown = false }
        #expect(await test.cluster.settle())
        #expect(await test.apiCertificates(of: worker) != before)
      }
    }

    @Test("A CA that cannot sign leaves the last good certificates in place")
    func garbage() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let mixed = PEMPair(
          certificate: Fixture.otherTalos.certificate, key: Fixture.talos.key)
        _ = try await test.apply(
          await test.config(for: node, talos: (mixed, [test.talosCA])), to: node)
        #expect(await test.cluster.settle())
        #expect(try await test.version(of: node) != "")
      }
    }

    @Test("An open connection outlives the old CA unless the machine is told to drop it")
    func openConnection() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        let new = try PEMPair(Authority.generate(.talos, now: WallClock.seconds()))
        let newAdmin = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          new, roles: [Role.admin])
        let open = try test.client(of: node)
        _ = try await open.unary(
          Talos.MachineServiceMethods.version, Empty(), options: TestCluster.options())
        _ = try await test.apply(await test.config(for: node, talos: (new, [])), to: node)
        #expect(await test.cluster.settle())
        _ = try await open.unary(
          Talos.MachineServiceMethods.version, Empty(), options: TestCluster.options())
        #expect(await status { _ = try await test.version(of: node, trusting: [new]) } != nil)
        await node.setFaults { $0.dropsClientsOnReload = true }
        _ = try await test.apply(
          await test.config(for: node, talos: (new, [Fixture.otherTalos])), to: node,
          client: try test.client(of: node, as: newAdmin, trusting: [new]))
        #expect(await test.cluster.settle())
        try await eventually("the old connection is gone") {
          await status {
            _ = try await open.unary(
              Talos.MachineServiceMethods.version, Empty(), options: TestCluster.options())
          } == .unavailable
        }
      }
    }

    @Test("Calls through a control plane fail for a moment after its certificates changed")
    func proxyOutage() async throws {
      var timing = Timing.instant
      timing.proxyOutage = .milliseconds(300)
      try await TestCluster.run(controlPlanes: 1, workers: 1, timing: timing) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        _ = try await test.version(of: worker, via: control)
        await control.refreshCertificates()
        try await eventually("calls through it fail") {
          await status { _ = try await test.version(of: worker, via: control) } == .unavailable
        }
        #expect(try await test.version(of: control) != "")
        try await eventually("they work again") {
          (try? await test.version(of: worker, via: control)) != nil
        }
      }
    }
  }
}
