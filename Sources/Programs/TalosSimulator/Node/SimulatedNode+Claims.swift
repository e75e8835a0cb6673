internal import Crypto
internal import Encodings
internal import YAML

/// A worker that somebody hostile runs: it answers as before, but says that it is a control plane.
extension SimulatedNode {
  /// What the configuration that a hostile worker shows holds in place of the CAs' keys.
  public enum ClaimedKey: String, Sendable, CaseIterable {
    case none
    /// A key that is no key of the certificate beside it.
    case wrong
  }

  /// What a machine shows in place of the truth.
  struct Claim: Sendable {
    var source: [UInt8]
    var config: MachineConfig?
  }

  /// Makes the machine show a control plane's configuration and type, or the truth again.
  ///
  /// A machine that claims takes every configuration it is given, shows it from then on, and does
  /// nothing with it; ``received`` holds what it was given.
  ///
  /// - Throws: `SimulatorError.options` when the machine's configuration has no place for the claim.
  public func claimControlPlane(_ key: ClaimedKey?) throws(SimulatorError) {
    guard let key else {
      claim = nil
      render()
      return
    }
    do {
      var editor = try YAMLEditor(configuration)
      let index = editor.documents.firstIndex { $0["kind"] == nil && $0["machine"] != nil } ?? 0
      try editor.set(.string("controlplane"), at: ["machine", "type"], document: index)
      if key == .wrong {
        let talos = try PrivateKey.generate(.ed25519).pem
        try editor.set(
          .string(Base64.encode(talos)), at: ["machine", "ca", "key"], document: index)
        let kubernetes = try PrivateKey.generate(.ecdsaP256).pem
        if editor.documents[index].node(at: ["cluster", "ca"]) != nil {
          try editor.set(
            .string(Base64.encode(kubernetes)), at: ["cluster", "ca", "key"], document: index)
        } else if let document = editor.documents.firstIndex(where: {
          $0["kind"]?.text == "KubeAPIServerCAConfig"
        }), let certificate = state.kubeletTrust.accepted.first {
          try editor.set(
            .mapping([.init("cert", .string(certificate)), .init("key", .string(kubernetes))]),
            at: ["issuingCA"], document: document)
        }
      }
      show(editor.bytes)
    } catch {
      throw .options("\(name): \(error)")
    }
  }

  /// Makes the machine show the configuration of a control plane, keys included, as whoever has stolen it can.
  public func claimControlPlane(showing stolen: [UInt8]) { show(stolen) }

  /// Shows a configuration without acting on it.
  func show(_ source: [UInt8]) {
    claim = Claim(
      source: source,
      config: try? MachineConfig(submitted: source, talosMinor: state.talosMinor))
    render()
  }

  /// Keeps what a machine was given that had better not be given anything.
  func keep(_ source: [UInt8]) {
    received.append(source)
    if received.count > 16 { received.removeFirst() }
  }
}
