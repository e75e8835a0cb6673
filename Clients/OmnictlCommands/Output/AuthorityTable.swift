internal import Schema

/// The CAs that issue for a cluster, and for how long they still do.
enum AuthorityTable {
  static func text(_ cluster: Cluster, now: Timestamp, columns: Int? = nil) -> String {
    var table = TextTable("CA", "SUBJECT", "FINGERPRINT", "EXPIRES")
    for authority in authorities(of: cluster) {
      table.add(
        authority.component.word, authority.subject, authority.fingerprint.shortFingerprint,
        validity(authority, now: now))
    }
    return table.text(columns: columns)
  }

  /// A server that does not tell more gives the fingerprints alone.
  private static func authorities(of cluster: Cluster) -> [CertificateAuthority] {
    guard cluster.authorities.isEmpty else { return cluster.authorities }
    let known = [
      (SecretComponent.talosCA, cluster.talosCAFingerprint),
      (.kubernetesCA, cluster.kubernetesCAFingerprint),
    ]
    return known.filter { !$0.1.isEmpty }.map { component, fingerprint in
      var authority = CertificateAuthority()
      authority.component = component
      authority.fingerprint = fingerprint
      return authority
    }
  }

  /// `2036-03-01T10:00:00Z (in 3653 days)`, `expired on 2026-02-28T10:00:00Z`, or from when on it is
  /// valid. By this host's clock.
  static func validity(_ authority: CertificateAuthority, now: Timestamp) -> String {
    guard let end = authority.notAfter else { return "" }
    if end.seconds < now.seconds { return "expired on \(Moment.text(end))" }
    if let start = authority.notBefore, start.seconds > now.seconds {
      return "not valid before \(Moment.text(start))"
    }
    let days = Moment.seconds(from: now, to: end) / 86_400
    return
      "\(Moment.text(end)) (\(days == 0 ? "today" : days == 1 ? "in 1 day" : "in \(days) days"))"
  }
}

/// What a person has to know of a cluster.
enum Warnings {
  static func text(_ cluster: Cluster, columns: Int?) -> String {
    guard !cluster.warnings.isEmpty else { return "" }
    let lines = cluster.warnings.flatMap {
      Paragraph.lines("warning: \($0)", hanging: 2, columns: columns)
    }
    return "\n" + lines.map { $0 + "\n" }.joined()
  }
}
