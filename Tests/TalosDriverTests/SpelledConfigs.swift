import Crypto
import Encodings
import Rotation
import Testing

@testable import TalosDriver

/// How the text of a CA field is written.
enum ScalarSpelling: String, CaseIterable, Sendable {
  case plain, single, double, literal, literalStrip, literalKeep, folded, foldedStrip

  /// The text as a value that begins behind a key or dash; `column` is where its lines stand. A literal
  /// with a last line break needs one behind it, which is the caller's.
  func written(_ text: String, column: Int) -> String {
    let pad = "\n" + String(repeating: " ", count: column)
    let lines = text.split(separator: "\n").map(String.init)
    return switch self {
    case .plain where !text.contains("\n"): text
    case .plain, .double: "\"" + text.replacing("\n", with: "\\n") + "\""
    case .single:
      text.contains("\n")
        ? "'" + lines.joined(separator: "\n" + pad) + (text.hasSuffix("\n") ? "\n" + pad : "") + "'"
        : "'\(text)'"
    case .literal: "|" + lines.map { pad + $0 }.joined()
    case .literalStrip: "|-" + lines.map { pad + $0 }.joined()
    case .literalKeep: "|+" + lines.map { pad + $0 }.joined()
    case .folded: ">" + lines.map { pad + $0 }.joined(separator: "\n")
    case .foldedStrip: ">-" + lines.map { pad + $0 }.joined(separator: "\n")
    }
  }
}

extension ScalarSpelling {
  /// The lists that this spelling is tried in: all, where the list changes how it may be written.
  var lists: [ListSpelling] {
    switch self {
    case .double, .literal, .literalStrip: ListSpelling.allCases
    case .plain, .single: [.indented, .flow]
    case .literalKeep, .folded, .foldedStrip: [.indented]
    }
  }
}

/// Where the accepted list's entries stand.
enum ListSpelling: String, CaseIterable, Sendable { case indented, atKey, flow }

/// One spelling of one machine's configuration in which the CA fields come last.
struct SpelledConfig: Sendable, CustomTestStringConvertible {
  var component: SecretComponent
  var role: MachineRole
  var isDocument: Bool
  var scalar: ScalarSpelling
  var list: ListSpelling

  static let all: [SpelledConfig] = SecretComponent.allCases.flatMap { component in
    MachineRole.allCases.flatMap { role in
      (component == .kubernetesCA ? [false, true] : [false]).flatMap { isDocument in
        ScalarSpelling.allCases.flatMap { scalar in
          scalar.lists.map {
            SpelledConfig(
              component: component, role: role, isDocument: isDocument, scalar: scalar, list: $0)
          }
        }
      }
    }
  }

  var testDescription: String {
    "\(component) \(role) \(isDocument ? "document" : "legacy") \(scalar.rawValue) \(list.rawValue)"
  }

  /// What stands before the CA fields.
  private var head: String {
    let type = role == .controlPlane ? "controlplane" : "worker"
    let machine = "# head ü\nversion: v1alpha1\nmachine:\n  type: \(type)\n  token: a.b # keep\n"
    if isDocument { return machine + "---\napiVersion: v1alpha1\nkind: KubeAPIServerCAConfig\n" }
    return component == .talosCA ? "cluster: {id: x}\n" + machine : machine + "cluster:\n  id: x\n"
  }

  /// - Parameters:
  ///   - isClosed: whether the PEM texts end in a line break.
  ///   - accepted: the entries of the list.
  func text(issuing: Authority, accepted: [Certificate], isClosed: Bool) -> String {
    func value(_ pem: String, _ column: Int, inFlow: Bool = false) -> String {
      let text = isClosed ? pem : String(pem.dropLast())
      let style = inFlow && scalar != .single ? ScalarSpelling.double : scalar
      return style.written(isDocument ? text : Base64.encode(text), column: column)
    }
    let pad = isDocument ? "" : "  "
    let step = pad.count + 2
    var text = head
    if !isDocument || role == .controlPlane {
      text += pad + (isDocument ? "issuingCA" : "ca") + ":\n"
      text +=
        "\(pad)  \(isDocument ? "cert" : "crt"): \(value(issuing.certificate.pem, step + 2))\n"
      let key = role == .controlPlane ? value(issuing.key.pem, step + 2) : "\"\""
      text += "\(pad)  key: \(key)\n"
    }
    let certificates = isDocument && role == .worker ? [issuing.certificate] + accepted : accepted
    guard !certificates.isEmpty else { return text }
    let field = isDocument ? "" : "crt: "
    text += "\(pad)acceptedCAs:"
    if list == .flow {
      let items = certificates.map { certificate in
        let item = field + value(certificate.pem, step + 4, inFlow: true)
        return isDocument ? item : "{\(item)}"
      }
      return text + " [\(items.joined(separator: ", "))]\n"
    }
    let dash = list == .atKey ? pad : pad + "  "
    let column = dash.count + (isDocument ? 2 : 4)
    text += "\n" + certificates.map { "\(dash)- \(field)\(value($0.pem, column))\n" }.joined()
    return text
  }
}
