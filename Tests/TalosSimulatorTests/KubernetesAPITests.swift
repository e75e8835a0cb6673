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
    _ = state.podsStarted(
      KubernetesState.ControlPlane(
        name: "a", issuing: PEMPair(certificate: pem, key: ""), accepted: pem))
    state.leaderPublished()
    let nodes = ["a", "b", "c"].map { name in
      KubernetesSnapshot.Node(
        name: name, address: "127.0.0.1", isControlPlane: name == "a",
        ready: name != "c" ? .yes : .unknown,
        reason: "KubeletReady", message: "", readySince: 0, talosVersion: "v1.13.4",
        staticPodSecrets: name == "a" ? 3 : nil, podsRunning: name == "a")
    }
    return KubernetesSnapshot(
      clusterName: "demo", kubernetesVersion: "v1.36.2", nodes: nodes, state: state, created: 0)
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

  @Test("Static pods carry the version of their secrets")
  func pods() throws {
    let answer = try ask("/api/v1/namespaces/kube-system/pods")
    let items = try #require(answer.json["items"] as? [[String: Any]])
    let names = items.compactMap { ($0["metadata"] as? [String: Any])?["name"] as? String }
    #expect(names.contains("kube-controller-manager-a"))
    #expect(!names.contains("kube-controller-manager-b"))
    let annotations =
      (items.first?["metadata"] as? [String: Any])?["annotations"] as? [String: String]
    #expect(annotations?["talos.dev/secrets-version"] == "3")
  }
}
