/// What to do about preconditions that do not hold, by the types that the schema names.
struct RefusalAdvice {
  private let session: Session
  private let types: [String]

  init(_ types: [String], _ session: Session) {
    self.session = session
    var seen: Set<String> = []
    self.types = types.filter { seen.insert($0).inserted }
  }

  /// What to do, what a flag does first; empty when nothing is known of the types.
  var text: String {
    var parts = types.compactMap(flag)
    let others = types.compactMap(remedy)
    parts += others
    return parts.joined(separator: "; ")
  }

  /// What the flag does that lets a rotation begin all the same.
  private func flag(_ type: String) -> String? {
    switch type {
    case "FOREIGN_CA": "--remove-foreign takes the foreign CAs out of every trust list"
    case "UNREADY": "--allow-unready starts all the same and does not wait for what is unwell now"
    case "UNMANAGED_NODE":
      "--allow-unmanaged-nodes starts all the same; a Kubernetes CA rotation locks those nodes out"
    case "CONFIG_OWNED": "--owner-ack starts all the same; the owner may write the old CA back"
    default: nil
    }
  }

  private func remedy(_ type: String) -> String? {
    let rotate = "cluster -n \(session.cluster) secret rotate"
    switch type {
    case "ROTATION_IN_PROGRESS":
      let follow = "follow it: \(session.line("\(rotate) status"))"
      guard session.invocation.command.name == ClusterForget.command.name else { return follow }
      return "\(follow), or until POST_ROTATE has begun abort it: "
        + "\(session.line("\(rotate) abort")); --force forgets the cluster all the same"
    case "NO_ROTATION": return "what there was: \(session.line("\(rotate) history"))"
    case "OLD_CA_RETIRED", "NOT_SOAKING":
      return "follow it: \(session.line("\(rotate) status"))"
    case "MARK_PENDING":
      return "see what is pending: \(session.line("cluster get \(session.cluster)"))"
    case "CREDENTIALS_REFUSED", "ACCESS_DENIED":
      return
        "the machines refuse, not omnid: use a talosconfig of this cluster with role os:admin that works"
    case "TALOS_VERSION": return "upgrade Talos first"
    case "MACHINE_UNREACHABLE":
      return "every machine has to answer before a rotation begins: bring back those that do not, "
        + "or remove them from the cluster; --leave-out MACHINE goes on without one that is gone for good"
    case "CA_EXPIRED": return "an expired CA cannot be rotated: replace it by hand first"
    case "CA_EXPIRES": return "choose a --soak that ends before the CA does, or none"
    case "CLOCK": return "set the clocks right first"
    case "CONFIG_PENDING":
      return "let the pending configuration come into force, or take it back, first"
    case "CONFIG_UNEDITABLE": return "mend the configuration first"
    case "KEY_MISSING": return "a CA's key goes only where it was: look into these machines first"
    case "NO_TLS_LISTENER":
      return "start omnid with --listen tls:127.0.0.1:8443 besides its socket, then run this again"
    case "NOT_COVERED":
      return
        "see that cluster discovery knows every machine, or remove what is gone (--leave-out goes on "
        + "without a machine, or an endpoint of the talosconfig)"
    case "ROTATED_ELSEWHERE":
      return "take it over with a talosconfig that works: "
        + session.line("cluster adopt \(session.cluster) --talosconfig FILE")
    default: return nil
    }
  }
}
