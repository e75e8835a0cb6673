import Crypto
import ProtoCodec
import RPC
import RPCTransport
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("Who is a member, and at which address")
  struct MemberTests {
    private func members(
      _ node: SimulatedNode, _ test: TestCluster
    ) async throws
      -> [String: Talos.MemberSpec]
    {
      var request = Cosi.ListRequest()
      request.namespace = "cluster"
      request.type = "Members.cluster.talos.dev"
      return try await test.client(of: node).serverStreaming(
        Cosi.StateMethods.list, request, options: TestCluster.options()
      ) { responses in
        var found: [String: Talos.MemberSpec] = [:]
        for try await response in responses {
          let resource = try #require(response.resource)
          let id = try #require(resource.metadata?.id)
          found[id] = try Talos.MemberSpec(serialized: resource.spec?.protoSpec ?? [])
        }
        return found
      }
    }

    @Test("A machine without discovery is nobody's member and knows nobody, until it has it again")
    func discovery() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 1) { test in
        let (first, worker) = (test.controlPlanes[0], test.workers[0])
        let control = String(decoding: await first.configuration, as: UTF8.self)
        let own = String(decoding: await worker.configuration, as: UTF8.self)
        #expect(own.contains("discovery:\n    enabled: true\n"))
        _ = try await test.apply(
          own.replacing("discovery:\n    enabled: true", with: "discovery:\n    enabled: false"),
          to: worker)
        #expect(try await members(worker, test).isEmpty)
        try await eventually("the others forget it") {
          try await members(first, test).keys.sorted() == test.controlPlanes.map(\.name)
        }
        _ = try await test.apply(
          control.replacing(
            "service: {}", with: "service: {disabled: yes}"), to: first)
        #expect(try await members(first, test).keys.sorted() == [first.name])
        _ = try await test.apply(control, to: first)
        _ = try await test.apply(own, to: worker)
        for node in [first, worker] {
          try await eventually("everybody is known again") {
            try await members(node, test).count == 3
          }
        }
      }
    }

    @Test("One list hides a member, all lists hold a false record, and the truth comes back")
    func lies() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 1) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        let worker = test.workers[0]
        let truth = try await members(first, test)
        #expect(truth.count == 3)
        #expect(truth[worker.name]?.machineType == .worker)
        #expect(truth[worker.name]?.controlPlane == nil)

        await second.setMemberLies([.hide(worker.name)])
        #expect(try await members(second, test).keys.sorted() == [first.name, second.name])
        #expect(try await members(first, test).count == 3)

        let twin = ClusterMember(
          name: "twin\u{202E}\u{1B}[2J", nodeID: first.nodeID, addresses: [second.address],
          type: .controlPlane)
        await test.cluster.setMemberLies([
          .change(worker.name) {
            $0.type = .controlPlane
            $0.apiServerPort = 6443
            $0.hostname = String(repeating: "x", count: 100_000)
          }, .add(twin),
        ])
        for node in [first, second] {
          let lied = try await members(node, test)
          #expect(lied.count == 4)
          #expect(lied[worker.name]?.machineType == .controlPlane)
          #expect(lied[worker.name]?.controlPlane?.apiServerPort == 6443)
          #expect(lied[worker.name]?.hostname.count == 100_000)
          #expect(lied[twin.name]?.nodeID == truth[first.name]?.nodeID)
          #expect(lied[twin.name]?.addresses == truth[second.name]?.addresses)
        }
        await test.cluster.setMemberLies([])
        #expect(try await members(second, test) == truth)
      }
    }

    @Test("A shared address is its holder's, comes first in the record, and moves")
    func shared() async throws {
      try await TestCluster.run(
        controlPlanes: 2, workers: 1, change: { $0.sharedAddress = "127.0.20.250" }
      ) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        let shared = "127.0.20.250"
        #expect(test.cluster.kubeconfig.contains("https://\(shared):"))

        /// The identity of who answers at an address.
        func identity(at address: String, node: String? = nil) async throws -> String {
          let context = try TLSContext(
            TLSConfiguration(
              role: .client, identity: try test.admin.identity(),
              trustRoots: [try Certificate(pem: test.talosCA.certificate)], alpn: ["h2"]))
          let channel = try SocketChannel(
            .tls(host: address, port: test.cluster.port), tls: context, serverName: address)
          defer { channel.close() }
          var request = Cosi.GetRequest()
          request.namespace = "cluster"
          request.type = "Identities.cluster.talos.dev"
          request.id = "local"
          var options = TestCluster.options()
          if let node { options.metadata.append("node", node) }
          let answer = try await RPCClient(channel).unary(
            Cosi.StateMethods.get, request, options: options)
          return try Talos.IdentitySpec(serialized: answer.resource?.spec?.protoSpec ?? []).nodeID
        }
        func readyz() async throws -> Int {
          let context = try TLSContext(
            TLSConfiguration(
              role: .client, identity: nil,
              trustRoots: [try Certificate(pem: test.kubernetesCA.certificate)], alpn: ["h2"]))
          let channel = try SocketChannel(
            .tls(host: shared, port: test.cluster.kubernetesPort), tls: context,
            serverName: shared)
          defer { channel.close() }
          return try await HTTPClient(channel).send(
            HTTPRequest(method: "GET", path: "/readyz"), timeout: .seconds(30)
          ).status
        }
        func addresses(_ node: SimulatedNode) async throws -> [[UInt8]] {
          try #require(try await members(first, test)[node.name]).addresses.map(\.ip)
        }
        #expect(try await identity(at: shared) == first.nodeID)
        #expect(try await readyz() == 200)
        #expect(try await addresses(first).first == [127, 0, 20, 250])
        #expect(try await addresses(first).count == 2)
        #expect(try await addresses(second).count == 1)

        try await test.cluster.moveSharedAddress(to: second)
        #expect(test.cluster.sharedAddressHolder === second)
        #expect(try await identity(at: shared) == second.nodeID)
        #expect(try await identity(at: first.address) == first.nodeID)
        #expect(try await identity(at: first.address, node: shared) == second.nodeID)
        #expect(try await readyz() == 200)
        #expect(try await addresses(first).count == 1)
        #expect(try await addresses(second).first == [127, 0, 20, 250])

        await second.setFaults { $0.apiServerDown = true }
        #expect(await status { _ = try await readyz() } == .unavailable)
        await second.powerOff()
        #expect(await status { _ = try await identity(at: shared) } == .unavailable)
        try await test.cluster.moveSharedAddress(to: first)
        #expect(try await identity(at: shared) == first.nodeID)
      }
    }

    @Test("The shared address moves also while the API server that answers there restarts")
    func movesDuringRestart() async throws {
      try await TestCluster.run(
        controlPlanes: 2, workers: 0, change: { $0.sharedAddress = "127.0.20.252" }
      ) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        let certificates = try #require(await first.state.kubernetesCertificates)
        let accepted = try #require(await first.state.kubernetesRoot).accepted
        for microseconds in stride(from: 0, to: 8_000, by: 100) {
          try await withThrowingTaskGroup { group in
            group.addTask {
              await first.servers.stopAPIServer()
              try await first.servers.startAPIServer(certificates, accepted: accepted)
            }
            group.addTask {
              try await Task.sleep(for: .microseconds(microseconds))
              try await test.cluster.moveSharedAddress(to: second)
            }
            try await group.waitForAll()
          }
          try await test.cluster.moveSharedAddress(to: first)
        }
      }
    }
  }
}
