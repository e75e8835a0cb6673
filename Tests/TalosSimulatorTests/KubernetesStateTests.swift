import Testing

@testable import TalosSimulator

@Suite("Control planes leave traces of their CAs in the cluster")
struct KubernetesStateTests {
  private static func pem(_ body: String) -> String {
    "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
  }

  private let old = pem("b2xk")
  private let new = pem("bmV3")

  private func process(_ node: String, _ start: Int, issuing: String) -> LeaderLease.Process {
    LeaderLease.Process(
      node: node, identity: "\(node)_\(start)", issuing: PEMPair(certificate: issuing, key: ""))
  }

  @Test("The leader's issuing CA is what every namespace gets, and it flips without overlap")
  func rootCA() {
    var state = KubernetesState()
    let leads = state.started(
      .controllerManager, process("a", 1, issuing: old), leaseHasRunOut: false, now: 1)
    #expect(leads)
    state.leaderPublished(now: 1000)
    let second = state.started(
      .controllerManager, process("b", 1, issuing: old), leaseHasRunOut: false, now: 2)
    #expect(!second)
    #expect(Set(state.rootCA.values) == [old])
    #expect(state.rootCA.count == KubernetesState.namespaces.count)

    // "a" restarts with the new CA: "b" takes the lead when the lease has run out, and still
    // publishes the old one.
    let led = state.stopped(.controllerManager, node: "a", now: 3)
    #expect(led)
    #expect(state.leader == nil)
    let back = state.started(
      .controllerManager, process("a", 2, issuing: new), leaseHasRunOut: false, now: 4)
    #expect(!back)
    let takenOver = state.leaseRanOut(.controllerManager) { _ in 5 }
    #expect(takenOver)
    #expect(state.leader?.identity == "b_1")
    state.leaderPublished(now: 1000)
    #expect(Set(state.rootCA.values) == [old])

    // Then "b" restarts, and "a" publishes the new one.
    _ = state.stopped(.controllerManager, node: "b", now: 6)
    _ = state.leaseRanOut(.controllerManager) { _ in 7 }
    state.leaderPublished(now: 1000)
    #expect(Set(state.rootCA.values) == [new])
  }

  @Test("A lease goes on naming a holder that is away, with the time of its last renewal")
  func lease() {
    var lease = LeaderLease()
    _ = lease.started(process("a", 1, issuing: old), hasRunOut: false, now: 10)
    #expect(lease.lastRenewal == nil)
    _ = lease.stopped(node: "a", now: 20)
    #expect(lease.holder?.identity == "a_1")
    #expect(lease.lastRenewal == 20)
    let nobody = lease.ranOut { _ in 35 }
    #expect(!nobody)
    let taken = lease.started(process("a", 2, issuing: old), hasRunOut: true, now: 40)
    #expect(taken)
    #expect(lease.holder?.identity == "a_2")
    #expect(lease.acquired == 40)
    #expect(lease.lastRenewal == nil)
    #expect(lease.transitions == 1)
  }

  @Test("The ConfigMap of client CAs keeps a removed CA until it is deleted")
  func extensionAuthentication() {
    var state = KubernetesState()
    state.apiServerServes(KubernetesState.APIServer(name: "a", accepted: old))
    state.apiServerServes(KubernetesState.APIServer(name: "a", accepted: new + old))
    state.apiServerServes(KubernetesState.APIServer(name: "a", accepted: new))
    #expect(state.apiServers.count == 1)
    #expect(state.extensionClientCAs == [old, new])
    let before = state.revision
    state.extensionDeleted()
    #expect(!state.extensionExists)
    state.extensionRestored()
    #expect(state.extensionClientCAs == [new])
    #expect(state.revision > before)
  }

  @Test("Without a running control plane nobody leads")
  func nobody() {
    var state = KubernetesState()
    _ = state.started(
      .controllerManager, process("a", 1, issuing: old), leaseHasRunOut: false, now: 1)
    _ = state.stopped(.controllerManager, node: "a", now: 2)
    let somebody = state.leaseRanOut(.controllerManager) { _ in 3 }
    #expect(!somebody)
    #expect(state.leader == nil)
  }
}
