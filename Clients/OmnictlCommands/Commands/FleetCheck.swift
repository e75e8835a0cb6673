internal import Platform
internal import RPC
internal import Schema

/// `omnictl check`.
enum FleetCheck {
  private static let within = Flag<Duration>.duration(
    "expires-within", fallback: .seconds(30 * 24 * 3600),
    "tell of what expires within this time")

  private static let machines = Flag<Bool>.switched(
    "machines", fallback: false,
    "ask every machine too, as the dry run of a rotation does (takes an operator)")

  static let command: CommandSpec = .init(
    "check", "What has to be done about any cluster, as a table and an exit code",
    examples: [
      "omnictl check --expires-within 720h",
      "omnictl check -o json | jq -r '.findings[].cluster'",
    ],
    discussion: """
      Looks at all clusters that you may see: CAs that expire, control planes that did not answer when
      omnid asked them last (every 30 seconds), machines that accept a retired CA again or use other CAs
      than omnid has on record, what goes on with a retired CA, marks, credentials that a rotation is
      about to end, and rotations that wait or have failed. Admins are told of client certificates and
      tokens too that were issued for longer than --expires-within and end within it. Exit code 0:
      nothing has to be done; 1: what is listed.
      """,
    flags: [within.spec, machines.spec]
  ) { session throws(CommandError) in
    let clusters = try await session.allClusters()
    let now = session.surroundings.now()
    let limit = session.invocation[within].components.seconds
    var findings = clusters.flatMap { Self.findings($0, now: now, within: limit) }
    if session.invocation[machines] {
      for cluster in clusters { findings += try await reachability(cluster, session) }
    }
    do throws(CommandError) {
      findings += grants(try await session.allGrants(), now: now, within: limit)
    } catch {
      guard error.code == .noAccess else { throw error }
      session.tell(
        "omnictl: client certificates and tokens were not looked at, which takes an admin")
    }
    switch session.format {
    case .json: session.print(json(findings, clusters.count) + "\n")
    case .table:
      session.print(
        table(findings, clusters.count, columns: session.surroundings.output.columns))
    }
    guard findings.isEmpty else {
      throw CommandError(
        .failed,
        findings.count == 1 ? "1 thing has to be done" : "\(findings.count) things have to be done")
    }
  }

  /// Something that somebody has to do something about.
  struct Finding: Equatable {
    enum Kind: String {
      case expiry
      /// A machine accepts a retired CA again.
      case drift
      /// Pods or Secrets go on with a retired CA.
      case staleTrust = "stale-trust"
      case mark
      /// Credentials that a rotation under way is about to end.
      case credentials
      case rotation
      case warning
      case machines
      case access
    }

    /// Empty for what is of no cluster.
    var cluster: String
    var kind: Kind
    /// What it is about: a CA, a machine, a mark.
    var subject: String
    var detail: String
  }

  // MARK: - What is looked at

  /// - Parameter limit: seconds.
  static func findings(_ cluster: Cluster, now: Timestamp, within limit: Int64) -> [Finding] {
    var found: [Finding] = []
    func add(_ kind: Finding.Kind, _ subject: String, _ detail: String) {
      found.append(Finding(cluster: cluster.name, kind: kind, subject: subject, detail: detail))
    }
    for authority in cluster.authorities {
      guard let end = authority.notAfter, end.seconds >= now.seconds,
        Moment.seconds(from: now, to: end) <= limit
      else { continue }
      add(
        .expiry, authority.component.word,
        "expires \(AuthorityTable.validity(authority, now: now)): "
          + "omnictl cluster -n \(cluster.name) secret rotate \(authority.component.word)")
    }
    // An expired CA is among them.
    for warning in cluster.warnings { add(.warning, "", warning) }
    let rotation = cluster.rotation ?? RotationStatus()
    for returned in rotation.returnedCAs { add(.drift, returned.machine, returned.detail) }
    for stale in rotation.staleTrust where stale.counted && stale.total > 0 {
      add(.staleTrust, stale.component.word, stale.detail)
    }
    if !rotation.isOver, let holders = holders(rotation, now: now) {
      add(.credentials, rotation.component.word, holders)
    }
    for mark in cluster.marks where mark.name != "retired-ca-returned" {
      add(.mark, mark.name, mark.detail)
    }
    if rotation.state == .failed || (!rotation.isOver && !rotation.error.isEmpty) {
      add(
        .rotation, rotation.component.word,
        (rotation.state == .failed ? "has failed: " : "waits: ") + rotation.error)
    }
    return found
  }

  /// Whose credentials are refused once the rotation is over; nil where nobody's are.
  private static func holders(_ rotation: RotationStatus, now: Timestamp) -> String? {
    let held = rotation.retiringCredentials.filter { ($0.expiresAt?.seconds ?? .max) > now.seconds }
    let count = held.count + Int(rotation.retiringCredentialsUnlisted)
    guard count > 0 else { return nil }
    let names = Set(held.map(\.holder)).sorted()
    let more = names.count > 4 ? " and others" : ""
    let what = count == 1 ? "1 credential" : "\(count) credentials"
    return
      "\(what) of the CA that goes: their holders (\(names.prefix(4).joined(separator: ", "))\(more)) need fresh ones "
      + "before the rotation is over"
  }

  static func grants(_ grants: [AccessGrant], now: Timestamp, within limit: Int64) -> [Finding] {
    grants.compactMap { grant in
      guard grant.revokedAt == nil, let end = grant.expiresAt, let issued = grant.issuedAt,
        end.seconds >= now.seconds, Moment.seconds(from: now, to: end) <= limit,
        Moment.seconds(from: issued, to: end) > limit
      else { return nil }
      return Finding(
        cluster: "", kind: .access, subject: grant.id,
        detail:
          "the \(grant.kind.word) of \(grant.name) ends at \(Moment.text(end)): issue another one "
          + "(omnictl access issue)")
    }
  }

  /// Asks the machines of a cluster that is not being rotated.
  private static func reachability(
    _ cluster: Cluster, _ session: Session
  ) async throws(CommandError) -> [Finding] {
    guard cluster.rotation?.isOver ?? true else { return [] }
    var request = RotateSecretRequest()
    request.cluster = cluster.name
    request.component = .talosCA
    request.dryRun = true
    let limit = session.invocation[GlobalFlags.timeout]
    let options = CallOptions(timeout: limit == .zero ? nil : limit, responseMessageBytes: 64 << 20)
    do throws(RPCError) {
      _ = try await session.client.unary(
        ManagementServiceMethods.rotateSecret, request, options: options)
      return []
    } catch {
      if isOfAllClusters(error) { throw session.failure(error) }
      let error = session.failure(error)
      guard !error.findings.isEmpty else {
        return [
          Finding(cluster: cluster.name, kind: .machines, subject: "", detail: error.message)
        ]
      }
      return error.findings.map {
        Finding(
          cluster: cluster.name, kind: .machines, subject: $0.machine ?? $0.subject,
          detail: $0.description)
      }
    }
  }

  /// Whether a failure is no matter of one cluster: the server cannot be reached, or does not let the caller ask.
  private static func isOfAllClusters(_ error: RPCError) -> Bool {
    switch error.code {
    case .permissionDenied, .unauthenticated: true
    case .unavailable: error.serverReason == nil || error.serverReason == "SERVER_DRAINING"
    default: false
    }
  }

  // MARK: - Output

  static func table(
    _ findings: [Finding], _ clusters: Int, columns: Int? = nil
  ) -> String {
    guard !findings.isEmpty else {
      return
        "nothing has to be done about \(clusters == 1 ? "1 cluster" : "\(clusters) clusters")\n"
    }
    var table = TextTable("CLUSTER", "WHAT", "SUBJECT", "DETAIL")
    for finding in findings {
      table.add(finding.cluster, finding.kind.rawValue, finding.subject, finding.detail)
    }
    return table.text(columns: columns)
  }

  static func json(_ findings: [Finding], _ clusters: Int) -> String {
    let items = findings.map { finding in
      JSONDocument.object([
        ("cluster", JSONDocument.string(finding.cluster)),
        ("what", JSONDocument.string(finding.kind.rawValue)),
        ("subject", JSONDocument.string(finding.subject)),
        ("detail", JSONDocument.string(finding.detail)),
      ])
    }
    return JSONDocument.object([
      ("clusters", "\(clusters)"), ("findings", "[\(items.joined(separator: ","))]"),
    ])
  }
}

extension Session {
  /// Every cluster that the caller may see.
  func allClusters() async throws(CommandError) -> [Cluster] {
    var all: [Cluster] = []
    var request = ListClustersRequest()
    repeat {
      let page = try await call(ManagementServiceMethods.listClusters, request)
      all += page.clusters
      // A token that comes again would never end.
      guard page.nextPageToken != request.pageToken else { break }
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty
    return all
  }

  /// Everything that was issued to callers from elsewhere.
  func allGrants() async throws(CommandError) -> [AccessGrant] {
    var all: [AccessGrant] = []
    var request = ListAccessRequest()
    repeat {
      let page = try await call(ManagementServiceMethods.listAccess, request)
      all += page.grants
      guard page.nextPageToken != request.pageToken else { break }
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty
    return all
  }
}
