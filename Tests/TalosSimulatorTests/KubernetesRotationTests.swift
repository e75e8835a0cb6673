import Crypto
import Foundation
import RPC
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("The Kubernetes CA changes")
  struct KubernetesRotationTests {
    @Test("Who is known, unknown and anonymous", arguments: ClusterOptions.Layout.allCases)
    func authentication(layout: ClusterOptions.Layout) async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1, layout: layout) { test in
        let node = test.controlPlanes[0]
        let admin = try test.kubernetesAdmin()
        let stranger = try test.kubernetesAdmin(Fixture.otherKubernetes)
        let nobody = try CertificateIssuing(now: WallClock.seconds()).kubernetesClient(
          test.kubernetesCA, user: "nobody", group: "guests")
        #expect(try await test.kubernetes(node, "/api/v1/nodes", as: admin).status == 200)
        #expect(try await test.kubernetes(node, "/api/v1/nodes", as: stranger).status == 401)
        #expect(try await test.kubernetes(node, "/api/v1/nodes", as: nobody).status == 403)
        #expect(try await test.kubernetes(node, "/api/v1/nodes").status == 403)
        #expect(try await test.kubernetes(node, "/readyz").status == 200)
        #expect(try await test.kubernetes(node, "/readyz", as: stranger).status == 401)
      }
    }

    @Test("The kubelet restarts on every change, and gets a new certificate only at the end")
    func rotation() async throws {
      var timing = Timing.instant
      timing.kubeletRestart = .milliseconds(50)
      try await TestCluster.run(controlPlanes: 2, workers: 1, timing: timing) { test in
        let new = try PEMPair(Authority.generate(.kubernetes, now: WallClock.seconds()))
        let old = test.kubernetesCA
        let oldAdmin = try test.kubernetesAdmin()
        let newAdmin = try test.kubernetesAdmin(new)
        let first = test.controlPlanes[0]
        let nodes = test.controlPlanes + test.workers

        func change(_ issuing: PEMPair, _ accepted: [PEMPair]) async throws {
          for node in nodes {
            let before = await node.resource(ResourceCatalog.service.key("kubelet"))
            _ = try await test.apply(
              await test.config(for: node, kubernetes: (issuing, accepted)), to: node)
            #expect(await test.cluster.settle())
            let after = await node.resource(ResourceCatalog.service.key("kubelet"))
            #expect(after != nil && after?.created != before?.created)
          }
        }
        let certificates = await nodes.asyncMap { await $0.state.kubeletClient }

        try await change(old, [new])
        #expect(await nodes.asyncMap { await $0.state.kubeletClient } == certificates)
        #expect(try await test.kubernetes(first, "/api/v1/nodes", as: newAdmin).status == 200)

        try await change(new, [old])
        #expect(await nodes.asyncMap { await $0.state.kubeletClient } == certificates)
        for node in test.controlPlanes {
          #expect(
            try await test.kubernetes(node, "/readyz", trusting: [new]).status == 200)
          let chain = try #require(await node.apiServerCertificate())
          #expect(chain.count == 2)
          #expect(chain[1].fingerprint == (try TestCluster.fingerprint(new)))
        }
        try await eventually("every namespace has the new root") {
          let maps = try await test.kubernetes(
            first, "/api/v1/configmaps?fieldSelector=metadata.name=kube-root-ca.crt", as: oldAdmin,
            trusting: [new])
          let json = try JSONSerialization.jsonObject(with: Data(maps.body)) as? [String: Any]
          let items = try #require(json?["items"] as? [[String: Any]])
          return items.count == KubernetesState.namespaces.count
            && items.allSatisfy { ($0["data"] as? [String: String])?["ca.crt"] == new.certificate }
        }

        try await change(new, [])
        let fresh = await nodes.asyncMap { await $0.state.kubeletClient }
        for (node, pair) in zip(nodes, fresh) {
          let leaf = try Certificate(pem: try #require(pair).certificate)
          #expect(leaf.isSigned(by: try Certificate(pem: new.certificate)))
          #expect(leaf.commonName == "system:node:\(node.name)")
        }
        for node in test.controlPlanes {
          #expect(
            try await test.kubernetes(node, "/readyz", as: oldAdmin, trusting: [new]).status
              == 401)
          #expect(
            try await test.kubernetes(node, "/api/v1/nodes", as: newAdmin, trusting: [new]).status
              == 200)
        }
        try await eventually("all nodes are ready") {
          await test.cluster.readyNodes().count == nodes.count
        }

        // The old CA lingers where aggregated API servers look, until the ConfigMap is deleted.
        let path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
        func listed() async throws -> Int {
          let map = try await test.kubernetes(first, path, as: newAdmin, trusting: [new])
          return String(decoding: map.body, as: UTF8.self)
            .components(separatedBy: "BEGIN CERTIFICATE").count - 1
        }
        #expect(try await listed() == 2)
        let deleted = try await test.kubernetes(
          first, path, method: "DELETE", as: newAdmin, trusting: [new])
        #expect(deleted.status == 200)
        try await eventually("it comes back with the new CA alone") { try await listed() == 1 }
      }
    }

    @Test("A worker whose kubelet nobody accepts stays Ready for a while, then is unknown")
    func grace() async throws {
      var timing = Timing.instant
      timing.nodeGrace = .seconds(4)
      try await TestCluster.run(controlPlanes: 1, workers: 1, timing: timing) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        let new = try PEMPair(Authority.generate(.kubernetes, now: WallClock.seconds()))
        _ = try await test.apply(
          await test.config(for: control, kubernetes: (new, [])), to: control)
        #expect(await test.cluster.settle())
        #expect(await test.cluster.readyNodes().contains(worker.name))
        try await eventually("the worker is given up") {
          await test.cluster.readyNodes().contains(worker.name) == false
        }
        _ = try await test.apply(
          await test.config(for: worker, kubernetes: (new, [])), to: worker)
        try await eventually("the worker is back with a certificate of the new CA") {
          await test.cluster.readyNodes().contains(worker.name)
        }
      }
    }

    @Test("A kubelet that does not come back is shown as stopped, and its node as not ready")
    func stuck() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let worker = test.workers[0]
        await worker.setFaults { $0.kubeletStuck = true }
        let new = Fixture.otherKubernetes
        _ = try await test.apply(
          await test.config(for: worker, kubernetes: (test.kubernetesCA, [new])), to: worker)
        #expect(await test.cluster.settle())
        #expect(await worker.resource(ResourceCatalog.service.key("kubelet")) == nil)
        #expect(await test.cluster.readyNodes() == [test.controlPlanes[0].name])
        await worker.setFaults { $0.kubeletStuck = false }
        try await eventually("the node is ready again") {
          await test.cluster.readyNodes().count == 2
        }
      }
    }

    @Test("An API server that is down refuses connections, and another one leads")
    func apiServerDown() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 0) { test in
        let node = test.controlPlanes[0]
        await node.setFaults { $0.apiServerDown = true }
        #expect(
          await status { _ = try await test.kubernetes(node, "/readyz") } == .unavailable)
        let other = try await test.kubernetes(test.controlPlanes[1], "/readyz")
        #expect(other.status == 200)
        await node.setFaults { $0.apiServerDown = false }
        let back = try await test.kubernetes(node, "/readyz")
        #expect(back.status == 200)
      }
    }

    @Test("A watch on the kubelet's service sees it go and come back")
    func watch() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let worker = test.workers[0]
        var request = Cosi.WatchRequest()
        request.namespace = "runtime"
        request.type = "Services.v1alpha1.talos.dev"
        request.id = "kubelet"
        request.apiVersion = 1
        let client = try test.client(of: test.controlPlanes[0])
        let kinds = try await client.serverStreaming(
          Cosi.StateMethods.watch, request, options: TestCluster.options(node: worker)
        ) { responses in
          var seen: [Cosi.EventType] = []
          var first = true
          for try await response in responses {
            if first {
              #expect(response.event.isEmpty)
              first = false
              _ = try await test.apply(
                await test.config(
                  for: worker, kubernetes: (test.kubernetesCA, [Fixture.otherKubernetes])),
                to: worker)
            }
            seen += response.event.map(\.eventType)
            if seen.count == 4 { return seen }
          }
          return seen
        }
        #expect(kinds == [.created, .destroyed, .created, .updated])
      }
    }
  }
}

extension Array {
  fileprivate func asyncMap<T>(_ transform: (Element) async -> T) async -> [T] {
    var results: [T] = []
    for element in self { results.append(await transform(element)) }
    return results
  }
}
