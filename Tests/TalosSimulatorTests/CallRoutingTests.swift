import RPC
import Testing

@testable import TalosSimulator

@Suite("apid decides where a call goes and who makes it")
struct CallRoutingTests {
  private func route(
    _ path: String = "/machine.MachineService/Version", node: [String] = [], nodes: [String] = [],
    proxied: Bool = false, forwards: Bool = true
  ) -> CallRoute {
    CallRouter.route(
      path: path, node: node, nodes: nodes, proxied: proxied, forwards: forwards,
      isLocal: { $0 == "127.0.0.1" })
  }

  @Test("A call without addressing stays on the machine")
  func local() {
    #expect(route() == .local)
    #expect(route(forwards: false) == .local)
  }

  @Test("A control plane forwards to the machine that node names, itself included")
  func forward() {
    #expect(route(node: ["127.0.0.9"]) == .forward(to: "127.0.0.9"))
    #expect(route(node: ["127.0.0.1"]) == .forward(to: "127.0.0.1"))
  }

  @Test("A worker answers for itself and forwards to nobody")
  func worker() {
    #expect(route(node: ["127.0.0.1"], forwards: false) == .local)
    #expect(route(nodes: ["127.0.0.1"], forwards: false) == .local)
    let refused = CallRoute.refuse(code: .permissionDenied, reason: "no request forwarding")
    #expect(route(node: ["127.0.0.9"], forwards: false) == refused)
    #expect(route(nodes: ["127.0.0.9"], forwards: false) == refused)
    #expect(route(nodes: ["127.0.0.1", "127.0.0.9"], forwards: false) == refused)
  }

  @Test("A call that was forwarded is not forwarded again")
  func proxied() {
    #expect(route(node: ["127.0.0.9"], proxied: true) == .local)
  }

  @Test("More than one node value is refused, nodes is aggregated")
  func several() {
    #expect(
      route(node: ["127.0.0.8", "127.0.0.9"])
        == .refuse(code: .invalidArgument, reason: "node metadata must be single-valued"))
    #expect(
      route(nodes: ["127.0.0.8", "127.0.0.9"]) == .aggregate(["127.0.0.8", "127.0.0.9"]))
  }

  @Test(
    "A machine is an address or a name without a port",
    arguments: [
      ("127.0.0.9", true), ("worker-1", true), ("::1", true), ("fd00::1:2", true), ("", false),
      ("127.0.0.9:50000", false), ("worker-1:50000", false), ("[::1]:50000", false), ("a:", false),
    ])
  func target(text: String, isTarget: Bool) {
    #expect(CallRouter.isTarget(text) == isTarget)
    let refused = CallRoute.refuse(
      code: .internalError, reason: "invalid target \"\(text)\"")
    #expect(route(node: [text]) == (isTarget ? .forward(to: text) : refused))
    #expect(route(nodes: ["a", text]) == (isTarget ? .aggregate(["a", text]) : refused))
  }

  @Test("Streams of several machines are passed on message by message")
  func streamed() {
    #expect(CallRouter.isStreamed("/machine.MachineService/Kubeconfig"))
    #expect(CallRouter.isStreamed("/cluster.ClusterService/HealthCheck"))
    #expect(!CallRouter.isStreamed("/machine.MachineService/Version"))
    #expect(StatusCode.deadlineExceeded.goName == "DeadlineExceeded")
    #expect(StatusCode.cancelled.goName == "Canceled")
  }

  @Test("COSI does not take nodes")
  func cosi() {
    #expect(
      route("/cosi.resource.State/Get", nodes: ["127.0.0.8"])
        == .refuse(
          code: .invalidArgument,
          reason: "one-2-many proxying is not supported for method /cosi.resource.State/Get"))
  }

  @Test("Only an impersonator speaks with the roles in the metadata")
  func impersonation() {
    #expect(
      AccessRules.roles(organizations: ["os:impersonator"], metadata: ["os:reader"])
        == ["os:reader"])
    #expect(
      AccessRules.roles(organizations: ["os:reader"], metadata: ["os:admin"]) == ["os:reader"])
    #expect(
      AccessRules.roles(organizations: ["os:impersonator"], metadata: []) == ["os:impersonator"])
    #expect(AccessRules.roles(organizations: ["", " os:admin "], metadata: []) == ["os:admin"])
  }

  @Test(
    "Each method asks for its roles",
    arguments: [
      ("/machine.MachineService/Version", ["os:reader"], true),
      ("/machine.MachineService/ApplyConfiguration", ["os:operator"], false),
      ("/machine.MachineService/ApplyConfiguration", ["os:admin"], true),
      ("/machine.MachineService/ServiceRestart", ["os:operator"], true),
      ("/machine.MachineService/ServiceRestart", ["os:reader"], false),
      ("/machine.MachineService/Read", ["os:operator"], false),
      ("/machine.MachineService/EtcdStatus", ["os:etcd:backup"], true),
      ("/machine.MachineService/Version", ["os:impersonator"], false),
      ("/machine.MachineService/Reset", ["os:operator"], false),
      ("/cosi.resource.State/Get", ["os:reader"], true),
    ])
  func rules(path: String, roles: [String], allowed: Bool) {
    #expect(AccessRules.allows(path, roles: Set(roles)) == allowed)
  }

  @Test("Sensitive resources are for administrators, unknown types for nobody")
  func resources() {
    let secret = "OSRootSecrets.secrets.talos.dev"
    #expect(ResourceCatalog.refusal(namespace: "secrets", type: secret, roles: ["os:admin"]) == nil)
    #expect(
      ResourceCatalog.refusal(namespace: "secrets", type: secret, roles: ["os:operator"])
        == "not authorized")
    #expect(
      ResourceCatalog.refusal(
        namespace: "cluster", type: "Members.cluster.talos.dev", roles: ["os:reader"]) == nil)
    #expect(
      ResourceCatalog.refusal(namespace: "x", type: "Nothing.talos.dev", roles: ["os:admin"])
        == "resource type \"Nothing.talos.dev\" is not supported")
    #expect(
      ResourceCatalog.refusal(namespace: "nowhere", type: secret, roles: ["os:admin"])
        == "namespace \"nowhere\" is not supported")
  }
}
