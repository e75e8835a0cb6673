import Crypto
import Orchestrator
import RPC
import Rotation

/// What is said of a machine that could not be asked: the cause, and what a person does about it.
///
/// The one way from a ``TalosFailure`` to words. What the machine said itself stands at the end, in parentheses.
struct FailureWords: Sendable {
  /// By what the machine was asked.
  enum Credentials: Sendable {
    /// By the record of a cluster whose Talos CA no rotation changes.
    case record(String)
    /// By a cluster's record and the new authority of the rotation of its Talos CA.
    case rotation(String)
    /// By a talosconfig, for an import.
    case talosconfig
  }

  var credentials: Credentials
  /// The fingerprints of the authorities whose certificates are believed.
  var known: [String]
  /// From when until when the own certificate is valid, by this host's clock.
  var valid: (since: Instant, until: Instant)?
  /// This host's clock.
  var now: Instant
  /// The old authority of a rotation that has expired under way, and when.
  var expired: (fingerprint: String, since: Instant)?

  func text(_ machine: Machine, _ failure: TalosFailure) -> String {
    text(of: machine.id, at: machine.address, failure)
  }

  /// - Parameters:
  ///   - name: what the machine is called.
  ///   - address: where it was asked, if that is known.
  func text(of name: String, at address: String = "", _ failure: TalosFailure) -> String {
    switch failure {
    case .rejected(let said, _) where failure.isAboutTime:
      let times = valid.map { " (valid since \($0.since) and until \($0.until))" } ?? ""
      return
        "\(name) refuses \(owner) certificate\(times), because it is out of its time by the clock of \(name); "
        + "this host's clock says \(now): compare the clock of \(name) with it and set the wrong one right (\(said))"
    case .untrusted(let said, let cause) where cause.fault == .expired && expired != nil:
      let old =
        expired.map { "the old CA \($0.fingerprint.prefix(12)) has expired on \($0.since)" } ?? ""
      return
        "\(name) shows a certificate that nobody accepts any more: \(old), and ROTATE had not reached \(name) before; set "
        + "it up anew from its console (omnictl cluster secrets export has the secrets), unless this host's clock, which "
        + "says \(now), is wrong (\(said))"
    case .untrusted(let said, let cause) where failure.isAboutTime:
      let times = cause.presented.map { presented in
        " (valid from \(Instant(secondsSince1970: presented.notBefore)) until "
          + "\(Instant(secondsSince1970: presented.notAfter)))"
      }
      return
        "\(name) shows a certificate\(times ?? "") that is out of its time: this host's clock says "
        + "\(now): compare the clock of \(name) with it and set the wrong one right (\(said))"
        + (cause.fault == .expired
          ? "; where both are right, the CA of \(name) has expired, and somebody at its console has to give it a "
            + "configuration with a valid one, or to reset it" : "")
    case .untrusted(let said, let cause):
      switch cause.fault {
      case .wrongName:
        let place = address.isEmpty ? "the address at which it was asked" : address
        return
          "the certificate of \(name) does not name \(place): add that to machine.certSANs of its configuration, or "
          + "let it be asked at an address that the certificate names (\(said))"
      case .unknownIssuer: return "\(unknown(name, cause.presented?.authority)) (\(said))"
      case .expired, .notYetValid, .other, nil:
        return
          "\(name) shows a certificate that cannot be believed: find out what answers at its address "
          + "(\(said))"
      }
    case .rejected(let said, _): return "\(refused(name)) (\(said))"
    case .misdirected(let message): return message
    case .unreachable(let message, _):
      let reason = Routes.plain(message)
      return reason.contains(name) ? reason : "\(name) does not answer: \(reason)"
    case .status(_, let message): return "\(name) does not answer as it should: \(message)"
    case .unusable(let error):
      return error.message.hasPrefix(name) ? error.message : "\(name): \(error.message)"
    }
  }

  /// What keeps a rotation from being started.
  func finding(_ machine: Machine, _ failure: TalosFailure) -> Finding {
    Finding(failure.isAboutTime ? .clock : .unreachable, machine.id, text(machine, failure))
  }

  /// The error that the failure is to whoever has asked for something.
  func error(_ machine: Machine, _ failure: TalosFailure) -> DriverError {
    var error = failure.driverError
    if !error.message.hasPrefix(machine.id) || failure.isAboutTrust {
      error.message = text(machine, failure)
    }
    return error
  }

  private var owner: String {
    switch credentials {
    case .record, .rotation: "omnid's"
    case .talosconfig: "the talosconfig's"
    }
  }

  private func unknown(_ name: String, _ authority: String?) -> String {
    let shown =
      authority.map { "now has a certificate of CA \($0.prefix(12))" }
      ?? "shows a certificate of a CA that is not known here"
    let list = known.map { String($0.prefix(12)) }.joined(separator: " and ")
    switch credentials {
    case .record(let cluster):
      return
        "\(name) \(shown); the record of '\(cluster)' knows only \(list): the CA has been rotated since; take it over "
        + "with a talosconfig that works (\(Self.adoption(cluster)))"
    case .rotation(let cluster):
      return
        "\(name) \(shown); this rotation of '\(cluster)' knows only \(list): somebody else has rotated the CA since; "
        + Self.wayOut(cluster)
    case .talosconfig:
      return
        "\(name) \(shown); this talosconfig knows only \(list): the CA has been rotated since, or is being rotated; "
        + "import with a fresh talosconfig, or take a rotation over that was left half done "
        + "(\(Self.adoption("NAME")))"
    }
  }

  private func refused(_ name: String) -> String {
    let cause = "\(name) refuses \(owner) certificate: "
    let since = "its CA has been rotated since, or its clock is wrong; "
    switch credentials {
    case .record(let cluster):
      return cause + since
        + "take it over with a talosconfig that works (\(Self.adoption(cluster)))"
    case .rotation(let cluster):
      let list = known.map { String($0.prefix(12)) }.joined(separator: " and ")
      return
        cause
        + "it does not accept clients of \(list) yet, or no more, or its clock is wrong; if it stays so, "
        + Self.wayOut(cluster)
    case .talosconfig: return cause + since + "import with a fresh talosconfig"
    }
  }

  private static func adoption(_ cluster: String) -> String {
    "omnictl cluster adopt \(cluster) --talosconfig FILE"
  }

  /// What leads out of a rotation in which a machine lives by a CA of somebody else.
  private static func wayOut(_ cluster: String) -> String {
    "stop whoever else writes its configuration and put that back; else abort (omnictl cluster -n \(cluster) secret rotate "
      + "abort) where no machine was changed, or give the record up (omnictl cluster forget \(cluster) --force), and take "
      + "over what the machines have then (\(adoption(cluster)))"
  }
}

extension TalosDriver {
  /// The words for machines that were asked with what a cluster's record and its rotation have.
  func words(_ access: ClusterAccess) -> FailureWords {
    let name = access.cluster.name
    let trust = try? ClusterTrust(.talosCA, access, keyring)
    let own = trust?.signers.first.flatMap {
      try? keyring.identity(.talos(roles: ["os:admin"]), from: $0).certificate
    }
    return FailureWords(
      credentials: access.rotation?.component == .talosCA ? .rotation(name) : .record(name),
      known: trust?.roots.map(\.fingerprint) ?? [],
      valid: own.map {
        (Instant(secondsSince1970: $0.notBefore), Instant(secondsSince1970: $0.notAfter))
      }, now: Instant(secondsSince1970: now()), expired: expiredAuthority(access))
  }

  /// The old Talos CA of a cluster's rotation, where it has expired under way.
  private func expiredAuthority(
    _ access: ClusterAccess
  ) -> (fingerprint: String, since: Instant)? {
    guard let change = access.rotation, change.component == .talosCA,
      keyring.hasExpired(change.old), let end = describe(change.old)?.notAfter
    else { return nil }
    return (change.old.fingerprint, end)
  }
}
