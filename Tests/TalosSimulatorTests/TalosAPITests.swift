import Crypto
import RPC
import Schema
import Testing

@testable import TalosSimulator

/// One cluster at a time: they share addresses.
@Suite("Clusters on the network", .serialized)
struct ClusterSuite {}

extension ClusterSuite {
  @Suite("The Talos API")
  struct TalosAPITests {
    @Test("Every machine answers its administrator, directly and through a control plane")
    func version() async throws {
      try await TestCluster.run(change: { $0.talosVersion = "v1.6.7" }) { test in
        for node in test.cluster.nodes {
          let direct = try await test.version(of: node)
          let proxied = try await test.version(of: node, via: test.controlPlanes[1])
          #expect(direct == "v1.6.7")
          #expect(proxied == "v1.6.7")
        }
        #expect(await test.cluster.readyNodes() == Set(test.cluster.nodes.map(\.name)))
      }
    }

    @Test("A certificate of another CA and none at all are refused in TLS")
    func strangers() async throws {
      try await TestCluster.run { test in
        let node = test.controlPlanes[0]
        let stranger = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          Fixture.otherTalos, roles: [Role.admin])
        let error = await #expect(throws: RPCError.self) {
          try await test.version(of: node, as: stranger)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("unknown certificate authority") == true)
        // A server's certificate is no client's, although the same CA signed it.
        let server = try #require(await node.state.apiCertificates?.server)
        #expect(await status { _ = try await test.version(of: node, as: server) } == .unavailable)
      }
    }

    @Test("Roles hold on both sides of a control plane, and workers do not forward")
    func roles() async throws {
      try await TestCluster.run { test in
        let reader = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          test.talosCA, roles: [Role.reader])
        let worker = test.workers[0]
        let controlPlane = test.controlPlanes[0]
        #expect(try await test.version(of: worker, as: reader, via: controlPlane) != "")
        var read = Talos.ReadRequest()
        read.path = "/etc/hostname"
        let request = read
        for target in [nil, worker, controlPlane] {
          let refused = await status {
            try await test.client(of: controlPlane, as: reader).serverStreaming(
              Talos.MachineServiceMethods.read, request, options: TestCluster.options(node: target)
            ) { for try await _ in $0 {} }
          }
          #expect(refused == .permissionDenied)
        }
        let forwarded = await status {
          _ = try await test.version(of: controlPlane, via: worker)
        }
        #expect(forwarded == .permissionDenied)
        #expect(try await test.version(of: worker, via: worker) != "")
      }
    }

    @Test("nodes is answered by each, a machine that is off with an error of its own")
    func aggregation() async throws {
      try await TestCluster.run { test in
        let worker = test.workers[0]
        await worker.powerOff()
        var options = TestCluster.options()
        options.metadata.append("nodes", test.controlPlanes[1].address)
        options.metadata.append("nodes", worker.address)
        let answer = try await test.client(of: test.controlPlanes[0]).unary(
          Talos.MachineServiceMethods.version, Empty(), options: options)
        #expect(
          answer.messages.map { $0.metadata?.hostname }
            == [test.controlPlanes[1].address, worker.address])
        #expect(answer.messages[0].version?.tag == "v1.13.4")
        #expect(answer.messages[1].metadata?.status?.code == 14)
        let single = await status {
          _ = try await test.version(of: worker, via: test.controlPlanes[0])
        }
        #expect(single == .unavailable)
        try await worker.powerOn()
        // The proxy has to try again first, and waits between tries.
        try await eventually("the worker is back") {
          (try? await test.version(of: worker, via: test.controlPlanes[0])) == "v1.13.4"
        }
      }
    }

    @Test("Two applies at once: the second is refused")
    func concurrent() async throws {
      var timing = Timing.instant
      timing.apply = .milliseconds(200)
      try await TestCluster.run(timing: timing) { test in
        let node = test.controlPlanes[0]
        let config = await test.config(for: node)
        async let first = test.apply(config, to: node)
        try await Task.sleep(for: .milliseconds(50))
        #expect(
          await status { _ = try await test.apply(config, to: node) } == .failedPrecondition)
        #expect(try await first.mode == .noReboot)
      }
    }

    @Test("A refused config changes nothing, a dry run neither")
    func refused() async throws {
      try await TestCluster.run { test in
        let node = test.workers[0]
        let before = await node.state.active
        let withKey = await test.config(for: test.controlPlanes[0])
          .replacing("type: controlplane", with: "type: worker")
        #expect(
          await status { _ = try await test.apply(withKey, to: node) } == .invalidArgument)
        let other = await test.config(for: node, talos: (test.talosCA, [Fixture.otherTalos]))
        let dry = try await test.apply(other, to: node, dryRun: true)
        #expect(dry.modeDetails.hasPrefix("Dry run summary:\n"))
        #expect(await node.state.active == before)
      }
    }

    @Test("Faults of an apply: without effect, and with one that the caller does not see")
    func applyFaults() async throws {
      try await TestCluster.run { test in
        let node = test.controlPlanes[0]
        await node.setFaults {
          $0.applies = [.beforeEffect(.unavailable), .afterEffect(.cancelled)]
        }
        let config = await test.config(for: node, talos: (test.talosCA, [Fixture.otherTalos]))
        #expect(await status { _ = try await test.apply(config, to: node) } == .unavailable)
        #expect(await node.state.osRoot.accepted.count == 1)
        #expect(await status { _ = try await test.apply(config, to: node) } == .cancelled)
        #expect(await node.state.osRoot.accepted.count == 2)
        _ = try await test.apply(config, to: node)
      }
    }

    @Test("A trial is taken back by the machine itself")
    func trial() async throws {
      try await TestCluster.run { test in
        let node = test.controlPlanes[0]
        let config = await test.config(for: node, talos: (test.talosCA, [Fixture.otherTalos]))
        let answer = try await test.apply(config, to: node, mode: .try, tryFor: 1)
        #expect(answer.mode == .try)
        try await eventually("both CAs are accepted") { await test.accepted(by: node).count == 2 }
        try await eventually("the trial is over") { await test.accepted(by: node).count == 1 }
      }
    }

    @Test("A machine whose clock lags refuses certificates that are not valid there yet")
    func clock() async throws {
      try await TestCluster.run { test in
        let node = test.controlPlanes[0]
        await node.setFaults { $0.clockOffset = .seconds(-7200) }
        #expect(await status { _ = try await test.version(of: node) } == .unavailable)
        #expect(try await test.version(of: test.controlPlanes[1]) != "")
        await node.setFaults { $0 = Faults() }
        let time = try await test.client(of: node).unary(
          Talos.TimeServiceMethods.time, Empty(), options: TestCluster.options())
        #expect(time.messages.first?.server == "time.cloudflare.com")
      }
    }

    @Test("A client certificate from the machine carries the roles that were asked for")
    func generate() async throws {
      try await TestCluster.run { test in
        var request = Talos.GenerateClientConfigurationRequest()
        request.roles = [Role.operatorRole]
        let client = try test.client(of: test.controlPlanes[0])
        let method = Talos.MachineServiceMethods.generateClientConfiguration
        let plain = request
        #expect(
          await status { _ = try await client.unary(method, plain) } == .invalidArgument)
        var ttl = ProtoDuration()
        ttl.seconds = 3600
        request.crtTTL = ttl
        let message = try #require(try await client.unary(method, request).messages.first)
        let pair = PEMPair(
          certificate: String(decoding: message.crt, as: UTF8.self),
          key: String(decoding: message.key, as: UTF8.self))
        #expect(try Certificate(pem: pair.certificate).subjectOrganizations == ["os:operator"])
        #expect(try await test.version(of: test.workers[0], as: pair) != "")
        #expect(
          String(decoding: message.talosconfig, as: UTF8.self).hasPrefix(
            "context: operator@demo\n"))
        let onWorker = try test.client(of: test.workers[0])
        let full = request
        #expect(await status { _ = try await onWorker.unary(method, full) } == .unimplemented)
      }
    }

    @Test("A cluster whose port is taken says so")
    func busy() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        var options = ClusterOptions()
        options.controlPlanes = 1
        options.workers = 0
        options.addressBase = "127.0.21.0"
        options.port = test.cluster.port
        options.kubernetesPort = 0
        let second = try await SimulatedCluster(options)
        let error = await #expect(throws: SimulatorError.self) { try await second.start() }
        #expect("\(try #require(error))".contains("127.0.21.1:\(test.cluster.port)"))
        await second.stop()
      }
    }
  }
}
