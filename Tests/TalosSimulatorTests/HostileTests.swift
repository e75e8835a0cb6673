import Crypto
import Foundation
import ProtoCodec
import RPC
import RPCTransport
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("Machines and clusters that are not what they should be")
  struct HostileTests {
    private func get<Spec: Message>(
      _ definition: ResourceCatalog.Definition, _ id: String, _ spec: Spec.Type,
      of node: SimulatedNode, _ test: TestCluster
    ) async throws -> Spec {
      var request = Cosi.GetRequest()
      request.namespace = definition.namespace
      request.type = definition.type
      request.id = id
      let answer = try await test.client(of: node).unary(
        Cosi.StateMethods.get, request, options: TestCluster.options())
      return try Spec(serialized: answer.resource?.spec?.protoSpec ?? [])
    }

    @Test(
      "A worker can claim to be a control plane, without the CA's key or with a wrong one",
      arguments: SimulatedNode.ClaimedKey.allCases, ClusterOptions.Layout.allCases)
    func claim(key: SimulatedNode.ClaimedKey, layout: ClusterOptions.Layout) async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1, layout: layout) { test in
        let worker = test.workers[0]
        let certificates = await test.apiCertificates(of: worker)
        try await worker.claimControlPlane(key)
        let type = try await get(
          ResourceCatalog.machineType, "machine-type", Talos.MachineTypeSpec.self, of: worker, test)
        #expect(type.machineType == .controlPlane)
        let shown = try await get(
          ResourceCatalog.machineConfig, "v1alpha1", Talos.MachineConfigSpec.self, of: worker, test)
        let text = String(decoding: shown.yamlMarshalled, as: UTF8.self)
        #expect(text.contains("type: controlplane"))
        let root = try await get(
          ResourceCatalog.osRoot, "os", Talos.OSRootSpec.self, of: worker, test)
        if key == .wrong {
          let pair = try #require(root.issuingCA)
          let crt = String(decoding: pair.crt, as: UTF8.self)
          #expect(crt == test.talosCA.certificate)
          let claimed = try PrivateKey(pem: String(decoding: pair.key, as: UTF8.self))
          #expect(try !claimed.matches(Certificate(pem: crt)))
        } else {
          #expect(root.issuingCA == nil)
        }
        // What it is given it shows and keeps, and does nothing with.
        let given = await test.config(for: test.controlPlanes[0])
        _ = try await test.apply(given, to: worker)
        #expect(await worker.received == [Array(given.utf8)])
        #expect(await test.apiCertificates(of: worker) == certificates)
        try await worker.claimControlPlane(nil)
        let honest = try await get(
          ResourceCatalog.machineType, "machine-type", Talos.MachineTypeSpec.self, of: worker, test)
        #expect(honest.machineType == .worker)
      }
    }

    @Test("A machine that was reset answers everybody, verifies nobody and is nobody's")
    func maintenance() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let worker = test.workers[0]
        try await worker.reset()
        // The certificate is none of the cluster's.
        #expect(await status { _ = try await test.version(of: worker) } != nil)
        let stranger = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          Fixture.otherTalos, roles: [Role.admin])
        let pair = try #require(worker.servers.maintenance)
        let server = TrustPool.certificates([pair.certificate])[0]
        #expect(try !server.isSigned(by: Certificate(pem: test.talosCA.certificate)))
        let spec = await worker.resource(ResourceCatalog.apiCertificates.key("api"))
        let api = try Talos.APICertsSpec(serialized: try #require(spec).spec)
        #expect(api.skipVerifyingClientCert)
        #expect(api.acceptedCAs.isEmpty)
        #expect(await worker.resource(ResourceCatalog.machineConfig.key("v1alpha1")) == nil)
        #expect(await worker.resource(ResourceCatalog.service.key("kubelet")) == nil)
        // Whoever takes that certificate for good gets in, with whatever certificate of its own.
        let chain = TrustPool.certificates([pair.certificate])
        let context = try TLSContext(
          TLSConfiguration(
            role: .client, identity: try stranger.identity(), trustRoots: [chain[1]],
            alpn: ["h2"]))
        let channel = try SocketChannel(
          .tls(host: worker.address, port: test.cluster.port), tls: context,
          serverName: worker.address)
        defer { channel.close() }
        let client = RPCClient(channel)
        let version = try await client.unary(
          Talos.MachineServiceMethods.version, Empty(), options: TestCluster.options())
        #expect(version.messages.count == 1)
        var request = Cosi.GetRequest()
        request.namespace = "secrets"
        request.type = "ApiCertificates.secrets.talos.dev"
        request.id = "api"
        let asked = request
        #expect(
          await status {
            _ = try await client.unary(
              Cosi.StateMethods.get, asked, options: TestCluster.options())
          } == .permissionDenied)
        _ = try await test.apply("version: v1alpha1", to: worker, client: client)
        #expect(await worker.received == [Array("version: v1alpha1".utf8)])
      }
    }

    @Test("Kubernetes can have nodes that no machine answers for, and nodes without a network")
    func strays() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1, change: { $0.noNetwork = true }) {
        test in
        #expect(await test.cluster.readyNodes().isEmpty)
        await test.cluster.setStrayNodes([StrayNode(name: "stranger", address: "192.0.2.1")])
        #expect(await test.cluster.readyNodes() == ["stranger"])
        let list = try await test.kubernetes(
          test.controlPlanes[0], "/api/v1/nodes", as: test.kubernetesAdmin())
        let text = String(decoding: list.body, as: UTF8.self)
        #expect(text.contains("192.0.2.1"))
        #expect(text.contains("cni plugin not initialized"))
        for node in test.cluster.nodes { await node.setFaults { $0 = Faults() } }
        #expect(await test.cluster.readyNodes().count == 3)
        await test.cluster.setStrayNodes([])
        #expect(await test.cluster.readyNodes().count == 2)
      }
    }

    @Test("A CA can have expired when the cluster has started, or be about to")
    func expired() async throws {
      try await TestCluster.run(
        controlPlanes: 1, workers: 0,
        change: {
          $0.talosCALifetime = .seconds(3600)
          $0.kubernetesCALifetime = .zero
        }
      ) { test in
        let now = WallClock.seconds()
        let kubernetes = try Certificate(pem: test.kubernetesCA.certificate)
        #expect(!kubernetes.isValid(at: now))
        let talos = try Certificate(pem: test.talosCA.certificate)
        #expect(talos.isValid(at: now))
        #expect(!talos.isValid(at: now + 3601))
        #expect(try await test.version(of: test.controlPlanes[0]) != "")
      }
    }

    @Test("A cluster without Kubernetes has no kubelet, no Kubernetes secrets and no kubeconfig")
    func alone() async throws {
      try await TestCluster.run(
        controlPlanes: 2, workers: 1, layout: .multidoc, change: { $0.withoutKubernetes = true }
      ) { test in
        let node = test.controlPlanes[0]
        let configuration = String(decoding: await node.configuration, as: UTF8.self)
        #expect(!configuration.contains("controlPlane:"))
        #expect(await node.resource(ResourceCatalog.kubernetesRoot.key("k8s")) == nil)
        #expect(await node.resource(ResourceCatalog.kubelet.key("kubelet")) == nil)
        #expect(await node.resource(ResourceCatalog.service.key("kubelet")) == nil)
        let error = await #expect(throws: RPCError.self) {
          try await test.client(of: node).serverStreaming(
            Talos.MachineServiceMethods.kubeconfig, Empty(), options: TestCluster.options()
          ) { responses in for try await _ in responses {} }
        }
        #expect(error?.code == .failedPrecondition)
        #expect(await status { _ = try await test.kubernetes(node, "/readyz") } == .unavailable)
        let ca = try ForeignCA(.talos)
        try await node.accept(ca, for: .talos)
        #expect(await test.cluster.settle())
        #expect(await test.accepted(by: node).contains(ca.fingerprint))
        await node.powerOff()
        try await node.powerOn()
        #expect(try await test.version(of: node) != "")
      }
    }
  }
}
