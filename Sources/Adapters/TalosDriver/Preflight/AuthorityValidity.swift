import Crypto
import Rotation

/// Whether the authorities that a rotation needs are valid for as long as it lasts. Pure.
struct AuthorityValidity {
  private(set) var findings: [Finding] = []
  private(set) var notes: [String] = []

  /// How long before an authority's end a start is told of it, and the same of a rotation that waits for a person before
  /// POST_ROTATE.
  private static let notice = Duration.seconds(86_400)
  private static let longNotice = Duration.seconds(30 * 86_400)

  init(_ context: PreflightContext) {
    for component in SecretComponent.allCases {
      guard let authority = context.authorities[component] else { continue }
      let name = "the \(component.rawValue) \(authority.fingerprint.prefix(12))"
      let (from, until) = (
        Instant(secondsSince1970: authority.notBefore),
        Instant(secondsSince1970: authority.notAfter)
      )
      if until <= context.now {
        findings.append(
          Finding(
            .expiredAuthority, "",
            "\(name) expired on \(until): nothing that it signed is accepted any more, so a rotation cannot "
              + "begin; renew it by hand (talosctl gen ca, then edit every machine), then import again"
          ))
      } else if from > context.now {
        findings.append(
          Finding(
            .expiredAuthority, "",
            "\(name) is valid only from \(from) on: set the clock of this host right"))
      } else if component == context.component || component == .talosCA {
        // Every rotation reaches the machines by the Talos CA.
        judge(name, until, context)
      } else {
        noteNodes(name, until, context)
      }
    }
  }

  /// A rotation of the Talos CA needs the Kubernetes CA to compare the machines with the nodes, and goes on without that.
  private mutating func noteNodes(_ name: String, _ until: Instant, _ context: PreflightContext) {
    let wait =
      switch context.options.soak {
      case .lasting(let length)?: length + Self.notice
      case .untilContinued?: Self.longNotice
      case nil: Self.notice
      }
    guard until <= context.now.advanced(by: wait) else { return }
    notes.append(
      "\(name) expires on \(until), which may be before this rotation is over: from then on the machines are not "
        + "compared with the Kubernetes nodes, so that one which discovery does not know is locked out; rotate the "
        + "kubernetes-ca first")
  }

  private mutating func judge(_ name: String, _ until: Instant, _ context: PreflightContext) {
    let soak = context.options.soak
    if case .lasting(let length)? = soak, until <= context.now.advanced(by: length) {
      findings.append(
        Finding(
          .expiringAuthority, "",
          "\(name) expires on \(until), before the wait of this rotation before POST_ROTATE is over: choose a shorter "
            + "wait (--soak)"))
      return
    }
    let notice = soak == .untilContinued ? Self.longNotice : Self.notice
    guard until <= context.now.advanced(by: notice) else { return }
    notes.append(
      "\(name) expires on \(until): a machine that has not been changed in ROTATE by then is out of reach for "
        + "everybody, and there is no way back then; let nothing hold the rotation up")
  }
}
