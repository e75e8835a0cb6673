import Crypto
import Encodings
import Rotation

@testable import TalosDriver

/// Machine configurations and talosconfigs.
///
/// In a text, `$O`, `$N` and `$F` stand for the base64 of the old, the new and a foreign CA's
/// certificate, `$o`, `$n` and `$f` for their keys', and `%` in place of `$` for the PEM itself.
enum ConfigTargets {
  static let machine = FuzzTarget("machine-config") { bytes in
    var input = FuzzInput(bytes)
    let choice = input.byte()
    let component: SecretComponent = choice & 1 == 0 ? .talosCA : .kubernetesCA
    let phase = RotationPhase.allCases[Int(choice >> 1) % RotationPhase.allCases.count]
    let text = Array(Authorities.shared.expand(input.rest()).utf8)
    guard let config = try? MachineConfig(text) else { return }
    _ = (config.clusterName, config.clusterEndpoint, config.apiServerPort)
    for component in [SecretComponent.talosCA, .kubernetesCA] { _ = try? config.trust(component) }
    let wanted = Authorities.shared.wanted(component, phase, config.role)
    guard let edited = try? MachineConfigEditor.apply(wanted, to: text) else { return }
    try require(edited.changed == (edited.bytes != text), "it says it changed and did not")
    let again: MachineConfigEditor.Result
    let after: MachineConfig
    do {
      after = try MachineConfig(edited.bytes)
      again = try MachineConfigEditor.apply(wanted, to: edited.bytes)
    } catch {
      throw Violation("edited, it is refused: \(error)")
    }
    try require(!again.changed, "edited twice, it changes twice")
    try checkOthers(config, after, component)
  }

  /// The other component keeps its authorities.
  private static func checkOthers(
    _ before: MachineConfig, _ after: MachineConfig, _ component: SecretComponent
  ) throws(Violation) {
    let other: SecretComponent = component == .talosCA ? .kubernetesCA : .talosCA
    guard let had = try? before.trust(other) else { return }
    guard let has = try? after.trust(other) else {
      throw Violation("the other component's authorities cannot be read any more")
    }
    try require(
      had.issuing == has.issuing && had.listed == has.listed
        && had.issuingKey?.unprotectedText == has.issuingKey?.unprotectedText,
      "the other component's authorities change")
    try require(before.role == after.role, "the machine's role changes")
  }

  static let talosconfig = FuzzTarget("talosconfig") { bytes in
    var input = FuzzInput(bytes)
    let name = String(decoding: input.line(), as: UTF8.self)
    let text = Authorities.shared.expand(input.rest())
    guard let context = try? Talosconfig.context(name, in: text) else { return }
    let written = Talosconfig.text(
      context: context.name, endpoints: context.endpoints, roots: context.roots,
      identity: context.identity)
    let again: TalosContext
    do {
      again = try Talosconfig.context(nil, in: written)
    } catch {
      throw Violation("what was written is refused: \(error)")
    }
    try require(again.name == context.name, "written, it has another name")
    try require(again.endpoints == context.endpoints, "written, it has other endpoints")
    try require(again.roots == context.roots, "written, it has other roots")
    try require(
      again.identity.certificates == context.identity.certificates,
      "written, it has another identity")
  }
}

/// The authorities that inputs speak of.
private struct Authorities: Sendable {
  static let shared = Authorities()

  private let old: Authority
  private let new: Authority
  private let foreign: Authority
  private let substitutes: [UInt8: String]

  private init() {
    func make() -> Authority {
      guard let authority = try? Authority.generate(.talos, now: 1_700_000_000) else {
        preconditionFailure("no authority can be made")
      }
      return authority
    }
    (old, new, foreign) = (make(), make(), make())
    substitutes = [
      UInt8(ascii: "O"): old.certificate.pem, UInt8(ascii: "o"): old.key.pem,
      UInt8(ascii: "N"): new.certificate.pem, UInt8(ascii: "n"): new.key.pem,
      UInt8(ascii: "F"): foreign.certificate.pem, UInt8(ascii: "f"): foreign.key.pem,
    ]
  }

  func expand(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "%"),
        let text = rest.first.flatMap({ substitutes[$0] })
      {
        rest = rest.dropFirst()
        out += byte == UInt8(ascii: "$") ? Array(Base64.encode(text).utf8) : Array(text.utf8)
      } else {
        out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  func wanted(
    _ component: SecretComponent, _ phase: RotationPhase, _ role: MachineRole
  ) -> WantedTrust {
    let bundle = TrustPlan.bundle(component, phase, role)
    func authority(_ generation: AuthorityGeneration) -> Authority {
      generation == .old ? old : new
    }
    return WantedTrust(
      component: component, issuing: authority(bundle.issuing).certificate,
      issuingKey: bundle.holdsIssuingKey ? authority(bundle.issuing).key.secretPEM : nil,
      accepted: bundle.accepted.map { authority($0).certificate },
      managed: [old.certificate, new.certificate])
  }
}
