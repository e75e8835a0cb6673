import Encodings
import Foundation
import ProtoCodec
import RPC
import Schema
import Testing

@testable import TalosSimulator

extension ClusterSuite {
  @Suite("What a machine says about itself")
  struct OwnResourcesTests {
    private func get<Spec: Message>(
      _ type: String, _ namespace: String, _ id: String, _ spec: Spec.Type, of node: SimulatedNode,
      _ test: TestCluster, as pair: PEMPair? = nil, via: SimulatedNode? = nil
    ) async throws -> Spec {
      var request = Cosi.GetRequest()
      request.namespace = namespace
      request.type = type
      request.id = id
      let answer = try await test.client(of: via ?? node, as: pair).unary(
        Cosi.StateMethods.get, request, options: TestCluster.options(node: via == nil ? nil : node))
      return try Spec(serialized: answer.resource?.spec?.protoSpec ?? [])
    }

    @Test("Every machine knows its own identity, and members carry the same one")
    func identity() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let reader = try CertificateIssuing(now: WallClock.seconds()).talosClient(
          test.talosCA, roles: [Role.reader])
        let first = test.controlPlanes[0]
        var own: [String: String] = [:]
        for node in test.cluster.nodes {
          let spec = try await get(
            "Identities.cluster.talos.dev", "cluster", "local", Talos.IdentitySpec.self, of: node,
            test, as: reader, via: first)
          own[node.name] = spec.nodeID
          let member = try await get(
            "Members.cluster.talos.dev", "cluster", node.name, Talos.MemberSpec.self, of: first,
            test)
          #expect(member.nodeID == spec.nodeID)
        }
        #expect(Set(own.values).count == 2)
        #expect(own.values.allSatisfy { $0.count > 40 && $0.allSatisfy(\.isLetterOrDigit) })
      }
    }

    @Test(
      "The three static pods name the version of their secrets; a Talos CA edit leaves it alone")
    func staticPods() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let node = test.controlPlanes[0]
        func versions() async throws -> [String] {
          var found: [String] = []
          for id in ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] {
            let spec = try await get(
              "StaticPods.kubernetes.talos.dev", "k8s", id, Talos.StaticPodSpec.self, of: node, test
            )
            guard case .structure(let metadata)? = spec.pod?.fieldValues["metadata"]?.kind,
              case .structure(let annotations)? = metadata.fieldValues["annotations"]?.kind,
              case .string(let version)? =
                annotations.fieldValues["talos.dev/secrets-version"]?.kind
            else { continue }
            found.append(version)
          }
          let status = try await get(
            "SecretStatuses.kubernetes.talos.dev", "controlplane", "static-pods",
            Talos.SecretsStatusSpec.self, of: node, test)
          #expect(status.ready)
          return found + [status.version]
        }
        #expect(try await versions() == ["1", "1", "1", "1"])
        // The simplest config, so that later ones differ in nothing but a CA.
        _ = try await test.apply(await test.config(for: node), to: node)
        #expect(await test.cluster.settle())
        #expect(try await versions() == ["2", "2", "2", "2"])
        _ = try await test.apply(
          await test.config(for: node, talos: (test.talosCA, [Fixture.otherTalos])), to: node)
        #expect(await test.cluster.settle())
        #expect(try await versions() == ["2", "2", "2", "2"])
        _ = try await test.apply(
          await test.config(
            for: node, kubernetes: (test.kubernetesCA, [Fixture.otherKubernetes])), to: node)
        #expect(await test.cluster.settle())
        #expect(try await versions() == ["3", "3", "3", "3"])
      }
    }

    @Test("A trial is ahead of what is on disk, and a staged config behind it")
    func persistent() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        func config(_ id: String) async throws -> String {
          let spec = try await get(
            "MachineConfigs.config.talos.dev", "config", id, Talos.MachineConfigSpec.self,
            of: node, test)
          return String(decoding: spec.yamlMarshalled, as: UTF8.self)
        }
        let before = try await config("v1alpha1")
        #expect(try await config("persistent") == before)
        _ = try await test.apply("# tried\n" + before, to: node, mode: .try, tryFor: 60)
        #expect(try await config("v1alpha1") == "# tried\n" + before)
        #expect(try await config("persistent") == before)
        _ = try await test.apply("# staged\n" + before, to: node, mode: .staged)
        #expect(try await config("v1alpha1") == "# tried\n" + before)
        #expect(try await config("persistent") == "# staged\n" + before)
        _ = try await test.apply("# both\n" + before, to: node)
        #expect(try await config("v1alpha1") == "# both\n" + before)
        #expect(try await config("persistent") == "# both\n" + before)
      }
    }

    @Test("A machine's clock shows in its time, in dates and in leases")
    func clock() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 1) { test in
        let (control, worker) = (test.controlPlanes[0], test.workers[0])
        await control.setFaults { $0.clockOffset = .seconds(-90) }
        await worker.setFaults { $0.clockOffset = .seconds(300) }
        // Made an hour ago: what is made now is not valid yet for a clock that lags.
        let early = CertificateIssuing(now: WallClock.seconds() - 3600)
        let admin = try early.talosClient(test.talosCA, roles: [Role.admin])
        let time = try await test.client(of: control, as: admin).unary(
          Talos.TimeServiceMethods.time, Empty(), options: TestCluster.options())
        let answer = try #require(time.messages.first)
        let local = try #require(answer.localtime?.seconds)
        let remote = try #require(answer.remotetime?.seconds)
        #expect((88...92).contains(remote - local))

        let path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        let response = try await test.kubernetes(
          control, path, as: early.kubernetesAdmin(test.kubernetesCA))
        let date = try #require(response.fields.first("date"))
        let near = (-3...3).map { HTTPDate.text(secondsSince1970: WallClock.seconds() - 90 + $0) }
        #expect(near.contains(date))
        let json = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
        let items = try #require(json?["items"] as? [[String: Any]])
        let renewals = items.compactMap {
          ($0["spec"] as? [String: Any])?["renewTime"] as? String
        }.sorted()
        let now = WallClock.seconds()
        #expect(renewals.count == 2)
        #expect(
          try #require(renewals.first) < KubernetesObject.microTime((now - 60) * 1_000_000_000))
        #expect(
          try #require(renewals.last) > KubernetesObject.microTime((now + 200) * 1_000_000_000))
      }
    }

    @Test("Without a time server the machine cannot tell its time")
    func timeServer() async throws {
      try await TestCluster.run(controlPlanes: 1, workers: 0) { test in
        let node = test.controlPlanes[0]
        await node.setFaults { $0.timeServerDown = true }
        let client = try test.client(of: node)
        let error = await #expect(throws: RPCError.self) {
          _ = try await client.unary(
            Talos.TimeServiceMethods.time, Empty(), options: TestCluster.options())
        }
        #expect(error?.message.hasPrefix("error querying NTP server") == true)
      }
    }

    @Test("When the leader's processes are away for long, another control plane's hold the leases")
    func leases() async throws {
      try await TestCluster.run(controlPlanes: 2, workers: 0) { test in
        let (first, second) = (test.controlPlanes[0], test.controlPlanes[1])
        func holders() async throws -> Set<String> {
          let path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
          let response = try await test.kubernetes(second, path, as: test.kubernetesAdmin())
          let json = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
          return Set(
            (json?["items"] as? [[String: Any]] ?? []).compactMap {
              (($0["spec"] as? [String: Any])?["holderIdentity"] as? String)?
                .split(separator: "_").first.map(String.init)
            })
        }
        #expect(try await holders() == [first.name])
        await first.setFaults {
          $0.controllerManagerDown = true
          $0.schedulerDown = true
        }
        try await eventually("the other control plane leads") {
          try await holders() == [second.name]
        }
        await first.setFaults { $0 = Faults() }
        #expect(await test.cluster.settle())
        #expect(try await holders() == [second.name])
      }
    }
  }
}

extension Character {
  fileprivate var isLetterOrDigit: Bool { isASCII && (isLetter || isNumber) }
}
