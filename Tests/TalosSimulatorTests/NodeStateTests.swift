import Testing

@testable import TalosSimulator

@Suite("A machine does what its config asks for, and nothing else")
struct NodeStateTests {
  private func state(_ text: String) throws -> NodeState {
    NodeState(
      name: "a", address: "127.0.20.1", talosMinor: 13, config: try Fixture.config(text))
  }

  private func apply(
    _ text: String, to state: inout NodeState, mode: ApplyMode = .noReboot
  ) throws -> [NodeState.Effect] {
    state.applyRequested(mode: mode)
    return state.configApplied(try Fixture.config(text), mode: mode, tryFor: .seconds(60))
  }

  @Test("A config without a change of trust has no effect, but is kept to the byte")
  func nothing() throws {
    var state = try state(Fixture.controlPlane())
    let commented = "# changed\n" + Fixture.controlPlane()
    #expect(try apply(commented, to: &state) == [])
    #expect(state.active.source == Array(commented.utf8))
    #expect(state.persisted.source == Array(commented.utf8))
  }

  @Test("A Talos CA more renews apid's certificates and leaves Kubernetes alone")
  func talos() throws {
    var state = try state(Fixture.controlPlane())
    let effects = try apply(Fixture.controlPlane(accepted: [Fixture.otherTalos]), to: &state)
    #expect(effects == [.renewAPICertificates])
    #expect(
      state.osRoot.accepted == [Fixture.otherTalos.certificate, Fixture.talos.certificate])
    #expect(state.osRoot.issuing == Fixture.talos)
  }

  @Test("A Kubernetes CA more restarts the kubelet and, on a control plane, the static pods")
  func kubernetes() throws {
    var control = try state(Fixture.controlPlane())
    let text = Fixture.controlPlane(kubernetesAccepted: [Fixture.otherKubernetes])
    #expect(
      try apply(text, to: &control) == [.renewKubernetesCertificates, .restartKubelet])
    #expect(control.kubeletTrust.accepted.first == Fixture.kubernetes.certificate)

    var worker = try state(Fixture.worker())
    let effects = try apply(
      Fixture.worker(kubernetesAccepted: [Fixture.otherKubernetes]), to: &worker)
    #expect(effects == [.restartKubelet])
    #expect(worker.kubernetesRoot == nil)
  }

  @Test("Swapping issuing and accepted is a change of the kubelet's list, too")
  func order() throws {
    var state = try state(Fixture.worker(kubernetesAccepted: [Fixture.otherKubernetes]))
    let swapped = Fixture.worker(
      kubernetesCA: Fixture.otherKubernetes, kubernetesAccepted: [Fixture.kubernetes])
    #expect(try apply(swapped, to: &state) == [.restartKubelet])
  }

  @Test("Until 1.13 the issuing Kubernetes CA comes last in the root secret, then first")
  func rootOrder() throws {
    let config = try Fixture.config(
      Fixture.controlPlane(kubernetesAccepted: [Fixture.otherKubernetes])
    ).config
    let expected = [Fixture.kubernetes.certificate, Fixture.otherKubernetes.certificate]
    #expect(KubernetesRoot(config, talosMinor: 14)?.accepted == expected)
    #expect(KubernetesRoot(config, talosMinor: 13)?.accepted == expected.reversed())
  }

  @Test("A worker's CA without a key signs nothing but is accepted")
  func worker() throws {
    let root = try state(Fixture.worker()).osRoot
    #expect(root.issuing == nil)
    #expect(root.accepted == [Fixture.talos.certificate])
  }

  @Test("A trial is active but not on disk, and is taken back when its time is over")
  func trial() throws {
    var state = try state(Fixture.controlPlane())
    let text = Fixture.controlPlane(accepted: [Fixture.otherTalos])
    let effects = try apply(text, to: &state, mode: .tryOut)
    #expect(
      effects == [.renewAPICertificates, .scheduleRollback(generation: 1, after: .seconds(60))])
    #expect(state.active.source != state.persisted.source)
    let due = state.rollbackDue(generation: 1)
    #expect(due == [.renewAPICertificates])
    #expect(state.active == state.persisted)
    let again = state.rollbackDue(generation: 1)
    #expect(again == [])
  }

  @Test("Any other apply ends a trial, even one that is refused")
  func trialEnds() throws {
    var state = try state(Fixture.controlPlane())
    _ = try apply(
      Fixture.controlPlane(accepted: [Fixture.otherTalos]), to: &state, mode: .tryOut)
    state.applyRequested(mode: .noReboot)
    #expect(!state.isRollbackPending)
    let due = state.rollbackDue(generation: 1)
    #expect(due == [])
    #expect(state.osRoot.accepted.count == 2)
  }

  @Test("A second trial goes back to the first one's config, and only its own timer counts")
  func trialOfTrial() throws {
    var state = try state(Fixture.controlPlane())
    let first = Fixture.controlPlane(accepted: [Fixture.otherTalos])
    _ = try apply(first, to: &state, mode: .tryOut)
    _ = try apply(Fixture.controlPlane(), to: &state, mode: .tryOut)
    let early = state.rollbackDue(generation: 1)
    #expect(early == [])
    let due = state.rollbackDue(generation: 2)
    #expect(due == [.renewAPICertificates])
    #expect(state.active.source == Array(first.utf8))
  }

  @Test("A reboot forgets a trial and takes up what was staged")
  func reboot() throws {
    var state = try state(Fixture.controlPlane())
    let staged = Fixture.controlPlane(accepted: [Fixture.otherTalos])
    #expect(try apply(staged, to: &state, mode: .staged) == [])
    #expect(state.osRoot.accepted.count == 1)
    state.rebooted()
    #expect(state.osRoot.accepted.count == 2)

    var trying = try self.state(Fixture.controlPlane())
    _ = try apply(staged, to: &trying, mode: .tryOut)
    trying.rebooted()
    #expect(trying.osRoot.accepted.count == 1)
  }

  @Test("One apply at a time")
  func concurrent() throws {
    var state = try state(Fixture.controlPlane())
    let first = state.applyBegan()
    let second = state.applyBegan()
    #expect(first)
    #expect(!second)
    state.applyEnded()
    let third = state.applyBegan()
    #expect(third)
  }

  @Test("The kubelet throws its certificate away only when nobody accepts it any more")
  func kubelet() throws {
    var state = try state(Fixture.worker())
    let client = PEMPair(certificate: "c", key: "k")
    state.kubeletBecameHealthy(client: client)
    state.kubeletStopped(certificateStillAccepted: true)
    #expect(state.service("kubelet")?.isRunning == false)
    #expect(state.kubeletClient == client)
    state.kubeletStarted()
    #expect(state.service("kubelet")?.isRunning == true)
    #expect(state.service("kubelet")?.healthy == false)
    state.kubeletBecameHealthy(client: nil)
    #expect(state.service("kubelet")?.healthy == true)
    #expect(state.kubeletClient == client)
    state.kubeletStopped(certificateStillAccepted: false)
    #expect(state.kubeletClient == nil)
  }

  @Test("Only control planes run etcd and trustd")
  func services() throws {
    #expect(try state(Fixture.controlPlane()).service("trustd") != nil)
    #expect(try state(Fixture.worker()).service("etcd") == nil)
  }
}
