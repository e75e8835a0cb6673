import Testing

@testable import TalosSimulator

@Suite("Control planes leave traces of their CAs in the cluster")
struct KubernetesStateTests {
  private static func pem(_ body: String) -> String {
    "-----BEGIN CERTIFICATE-----\n\(body)\n-----END CERTIFICATE-----\n"
  }

  private let old = pem("b2xk")
  private let new = pem("bmV3")

  private func controlPlane(
    _ name: String, issuing: String, accepted: String
  )
    -> KubernetesState.ControlPlane
  {
    KubernetesState.ControlPlane(
      name: name, issuing: PEMPair(certificate: issuing, key: ""), accepted: accepted)
  }

  @Test("The leader's issuing CA is what every namespace gets, and it flips without overlap")
  func rootCA() {
    var state = KubernetesState()
    let publishes = state.podsStarted(controlPlane("a", issuing: old, accepted: old))
    #expect(publishes)
    state.leaderPublished()
    let second = state.podsStarted(controlPlane("b", issuing: old, accepted: old))
    #expect(!second)
    #expect(Set(state.rootCA.values) == [old])
    #expect(state.rootCA.count == KubernetesState.namespaces.count)

    // "a" restarts with the new CA: "b" takes the lead and still publishes the old one.
    let takenOver = state.podsStopped("a")
    #expect(takenOver)
    #expect(state.leader == "b")
    state.leaderPublished()
    let back = state.podsStarted(controlPlane("a", issuing: new, accepted: old + new))
    #expect(!back)
    #expect(Set(state.rootCA.values) == [old])

    // Then "b" restarts, and "a" publishes the new one.
    let returned = state.podsStopped("b")
    #expect(returned)
    state.leaderPublished()
    #expect(Set(state.rootCA.values) == [new])
  }

  @Test("The ConfigMap of client CAs keeps a removed CA until it is deleted")
  func extensionAuthentication() {
    var state = KubernetesState()
    _ = state.podsStarted(controlPlane("a", issuing: old, accepted: old))
    _ = state.podsStarted(controlPlane("a", issuing: new, accepted: new + old))
    _ = state.podsStarted(controlPlane("a", issuing: new, accepted: new))
    #expect(state.extensionClientCAs == [old, new])
    let before = state.revision
    state.extensionDeleted()
    #expect(!state.extensionExists)
    state.extensionRestored()
    #expect(state.extensionClientCAs == [new])
    #expect(state.revision > before)
  }

  @Test("Without a running control plane nobody leads or signs")
  func nobody() {
    var state = KubernetesState()
    _ = state.podsStarted(controlPlane("a", issuing: old, accepted: old))
    let somebody = state.podsStopped("a")
    #expect(!somebody)
    #expect(state.leader == nil)
    #expect(state.signer == nil)
  }
}
