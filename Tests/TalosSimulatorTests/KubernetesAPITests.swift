import Foundation
import Testing

@testable import TalosSimulator

@Suite("The Kubernetes API answers as kube-apiserver does")
struct KubernetesAPITests {
  private static let admin = KubernetesIdentity.user(name: "admin", groups: ["system:masters"])
  private static let kubelet = KubernetesIdentity.user(
    name: "system:node:a", groups: ["system:nodes"])

  private static func snapshot() -> KubernetesSnapshot {
    let pem = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"
    var state = KubernetesState()
    state.apiServerServes(KubernetesState.APIServer(name: "a", accepted: pem))
    for led in KubernetesState.Led.allCases {
      let process = LeaderLease.Process(
        node: "a", identity: "a_\(led.rawValue)", issuing: PEMPair(certificate: pem, key: ""))
      _ = state.started(led, process, leaseHasRunOut: false, now: 1_780_000_000_123_456_789)
    }
    state.leaderPublished(now: 1000)
    let nodes = ["a", "b", "c"].map { name in
      KubernetesSnapshot.Node(
        name: name, address: "127.0.0.1", isControlPlane: name == "a",
        ready: name != "c" ? .yes : .unknown,
        reason: "KubeletReady", message: "", readySince: 0, talosVersion: "v1.13.4",
        pods: name == "a" ? pods() : [], clock: 1_780_000_005_000_004_000,
        leaseRenewed: 1_780_000_004_000_000_000)
    }
    return KubernetesSnapshot(
      clusterName: "demo", kubernetesVersion: "v1.36.2", nodes: nodes, state: state, created: 0)
  }

  /// The API server has been given new secrets and goes on in its old container; the scheduler has
  /// failed.
  private static func pods() -> [StaticPod] {
    StaticPod.Component.allCases.map { component in
      var pod = StaticPod(component, secretsVersion: 2)
      pod.started(containerID: "containerd://1", now: 1_780_000_000)
      pod.becameReady()
      pod.mirrored(secretsVersion: 3)
      if component == .scheduler {
        pod.ended(failed: true, now: 1_780_000_010, ranFor: .seconds(10), timing: .real)
      }
      return pod
    }
  }

  private func ask(
    _ target: String, method: String = "GET", as identity: KubernetesIdentity = Self.admin
  ) throws -> (status: Int, json: [String: Any]) {
    let response = KubernetesAPI.respond(
      to: KubernetesRequest(method: method, target: target, identity: identity), Self.snapshot())
    let json = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
    return (response.status, json ?? [:])
  }

  @Test(
    "Health and version are open to everybody",
    arguments: ["/readyz", "/livez?verbose", "/version"])
  func open(target: String) throws {
    #expect(try ask(target, as: .anonymous).status == 200)
  }

  @Test("A refused credential gets 401 everywhere, even where no credential is needed")
  func unauthorized() throws {
    for target in ["/readyz", "/version", "/api/v1/nodes"] {
      let answer = try ask(target, as: .refused)
      #expect(answer.status == 401)
      #expect(answer.json["reason"] as? String == "Unauthorized")
    }
  }

  @Test("Anonymous and unprivileged users get 403")
  func forbidden() throws {
    let answer = try ask("/api/v1/nodes", as: .anonymous)
    #expect(answer.status == 403)
    #expect(
      answer.json["message"] as? String
        == "nodes is forbidden: User \"system:anonymous\" cannot list resource \"nodes\" in API "
        + "group \"\" at the cluster scope")
    #expect(try ask("/api/v1/nodes/a", as: Self.kubelet).status == 403)
    #expect(try ask("/metrics", as: .anonymous).status == 403)
  }

  @Test("Nodes are listed in pages and say whether they are ready")
  func nodes() throws {
    let first = try ask("/api/v1/nodes?limit=2")
    let metadata = try #require(first.json["metadata"] as? [String: Any])
    let token = try #require(metadata["continue"] as? String)
    #expect((first.json["items"] as? [Any])?.count == 2)
    #expect(metadata["remainingItemCount"] as? Int == 1)
    let second = try ask("/api/v1/nodes?limit=2&continue=\(token)")
    let last = try #require((second.json["items"] as? [[String: Any]])?.first)
    let status = try #require(last["status"] as? [String: Any])
    let conditions = try #require(status["conditions"] as? [[String: Any]])
    let ready = conditions.first { $0["type"] as? String == "Ready" }
    #expect(ready?["status"] as? String == "Unknown")
    #expect((second.json["metadata"] as? [String: Any])?["continue"] == nil)
    #expect(try ask("/api/v1/nodes?continue=junk!").status == 400)
  }

  @Test("One object can be read, one that is not there gets 404")
  func single() throws {
    #expect(try ask("/api/v1/nodes/b").status == 200)
    #expect(try ask("/api/v1/nodes/z").status == 404)
    #expect(try ask("/api/v1/namespaces").status == 200)
    let map = try ask("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
    #expect((map.json["data"] as? [String: String])?["ca.crt"]?.contains("BEGIN") == true)
    #expect(try ask("/api/v1/namespaces/default/configmaps/other").status == 404)
    #expect(try ask("/api/v1/secrets").status == 404)
  }

  @Test("A field selector finds the root CA of every namespace")
  func selector() throws {
    let answer = try ask("/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt")
    #expect((answer.json["items"] as? [Any])?.count == KubernetesState.namespaces.count)
    #expect(try ask("/api/v1/configmaps?fieldSelector=data=x").status == 400)
  }

  @Test("Only nodes and the ConfigMap of client CAs may be deleted, and only by who may")
  func delete() throws {
    let target = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    let request = KubernetesRequest(method: "DELETE", target: target, identity: Self.admin)
    let answer = KubernetesAPI.respond(to: request, Self.snapshot())
    #expect(answer.status == 200)
    #expect(answer.effect == .deleteExtensionAuthentication)
    #expect(try ask(target, method: "DELETE", as: Self.kubelet).status == 403)
    let node = KubernetesRequest(
      method: "DELETE", target: "/api/v1/nodes/a", identity: Self.admin)
    #expect(KubernetesAPI.respond(to: node, Self.snapshot()).effect == .deleteNode("a"))
    #expect(try ask("/api/v1/nodes/a", method: "DELETE", as: Self.kubelet).status == 403)
    #expect(try ask("/api/v1/namespaces/default", method: "DELETE").status == 405)
  }

  @Test("Mirror pods carry the version of their secrets and the status of their containers")
  func pods() throws {
    let answer = try ask("/api/v1/namespaces/kube-system/pods")
    let items = try #require(answer.json["items"] as? [[String: Any]])
    func metadata(_ item: [String: Any]) -> [String: Any] {
      item["metadata"] as? [String: Any] ?? [:]
    }
    func container(_ name: String) throws -> (version: String?, status: [String: Any]) {
      let pod = try #require(items.first { metadata($0)["name"] as? String == name })
      let status = try #require(pod["status"] as? [String: Any])
      let annotations = metadata(pod)["annotations"] as? [String: String]
      return (
        annotations?["talos.dev/secrets-version"],
        try #require((status["containerStatuses"] as? [[String: Any]])?.first)
      )
    }
    #expect(!items.contains { metadata($0)["name"] as? String == "kube-controller-manager-b" })
    let old = try container("kube-apiserver-a")
    #expect(old.version == "3")
    #expect(old.status["ready"] as? Bool == true)
    #expect(old.status["restartCount"] as? Int == 0)
    #expect(old.status["containerID"] as? String == "containerd://1")
    let running = (old.status["state"] as? [String: [String: String]])?["running"]
    #expect(running?["startedAt"] == "2026-05-28T20:26:40Z")

    let failed = try container("kube-scheduler-a")
    #expect(failed.status["ready"] as? Bool == false)
    let waiting = (failed.status["state"] as? [String: [String: String]])?["waiting"]
    #expect(waiting?["reason"] == "CrashLoopBackOff")
    #expect(waiting?["message"] == "back-off 10s restarting failed container=kube-scheduler")
    let last = (failed.status["lastState"] as? [String: [String: Any]])?["terminated"]
    #expect(last?["exitCode"] as? Int == 1)
  }

  @Test("Leases name who leads and when each node was last heard of, by the machines' clocks")
  func leases() throws {
    func spec(_ path: String) throws -> [String: Any] {
      let answer = try ask("/apis/coordination.k8s.io/v1/namespaces/\(path)")
      #expect(answer.json["apiVersion"] as? String == "coordination.k8s.io/v1")
      return try #require(answer.json["spec"] as? [String: Any])
    }
    let lead = try spec("kube-system/leases/kube-controller-manager")
    #expect(lead["holderIdentity"] as? String == "a_kube-controller-manager")
    #expect(lead["leaseDurationSeconds"] as? Int == 15)
    #expect(lead["acquireTime"] as? String == "2026-05-28T20:26:40.123456Z")
    #expect(lead["renewTime"] as? String == "2026-05-28T20:26:45.000004Z")
    let node = try spec("kube-node-lease/leases/b")
    #expect(node["holderIdentity"] as? String == "b")
    #expect(node["renewTime"] as? String == "2026-05-28T20:26:44.000000Z")
    let all = try ask("/apis/coordination.k8s.io/v1/leases")
    #expect((all.json["items"] as? [Any])?.count == 5)
    let forbidden = try ask("/apis/coordination.k8s.io/v1/leases", as: Self.kubelet)
    #expect(forbidden.status == 403)
  }
}
