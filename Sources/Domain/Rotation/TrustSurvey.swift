/// Tells from what all machines hold of a component how far somebody else has come with a rotation of it.
///
/// Which authority is the new one: it issues already, or it is younger. What nobody issues from and nobody has the key of
/// can only be taken out. Authorities are named by their fingerprints.
public struct TrustSurvey: Sendable {
  /// What has to be known of an authority.
  public struct Authority: Sendable, Hashable {
    /// As people read it: `CA 1f2e3d4c5b6a (O=talos)`.
    public var name: String
    /// From when on it is valid.
    public var notBefore: Instant
    /// When it ends: from then on nothing that it has signed is accepted.
    public var notAfter: Instant
    /// Whether it is a CA that has signed itself.
    public var isRoot: Bool

    public init(name: String, notBefore: Instant, notAfter: Instant, isRoot: Bool) {
      self.name = name
      self.notBefore = notBefore
      self.notAfter = notAfter
      self.isRoot = isRoot
    }
  }

  /// What is known of the component beside the machines.
  public struct Known: Sendable {
    /// The record's.
    public var current: String?
    /// What the record had before, where another tool has rotated.
    public var predecessor: String?
    /// Retired by rotations of this cluster.
    public var retired: [String]
    /// Those whose keys are on record.
    public var withKeys: Set<String>

    public init(
      current: String? = nil, predecessor: String? = nil, retired: [String] = [],
      withKeys: Set<String> = []
    ) {
      self.current = current
      self.predecessor = predecessor
      self.retired = retired
      self.withKeys = withKeys
    }
  }

  /// What was found.
  public enum Outcome: Sendable {
    /// Every machine issues from one authority and accepts it alone, and the record has no other.
    case settled(String)
    case unfinished(Unfinished)
    /// It cannot be told what anybody wanted: why, and what a person can do.
    case unclear(String)
  }

  public struct Unfinished: Sendable {
    public var old: String
    public var new: String
    /// The stage in which it is finished, or which is undone first.
    public var phase: RotationPhase
    /// Why it cannot be finished; nil where it can.
    public var finishObstacle: String?
    /// Why it cannot be taken back; nil where it can.
    public var returnObstacle: String?
    /// Authorities that take no part.
    public var foreign: [(machine: Machine, authority: String)]
  }

  public let component: SecretComponent
  public let machines: [Seen]
  let known: Known
  let authorities: [String: Authority]
  let now: Instant

  /// - Parameters:
  ///   - authorities: all that any machine lists, and those of `known`.
  ///   - now: what tells which of them have expired.
  public init(
    component: SecretComponent, machines: [Seen], known: Known, authorities: [String: Authority],
    now: Instant
  ) {
    self.component = component
    self.machines = machines
    self.known = known
    self.authorities = authorities
    self.now = now
  }

  func name(_ fingerprint: String) -> String {
    authorities[fingerprint]?.name ?? "CA \(fingerprint.prefix(12))"
  }

  private func age(_ fingerprint: String) -> Instant {
    authorities[fingerprint]?.notBefore ?? Instant(secondsSince1970: 0)
  }

  /// The authorities that machines issue from, those of control planes first, none twice.
  ///
  /// What a worker names alone takes no part: whoever owns that one machine can write there what he likes, and an
  /// authority that takes part is accepted by all machines on the way.
  private var issuers: [String] {
    let workers = machines.filter { $0.machine.role == .worker }
    var vouched = Set(planes.compactMap(\.issuing) + planes.flatMap(\.listed) + known.retired)
    vouched.formUnion([known.current, known.predecessor].compactMap { $0 })
    var seen: Set<String> = []
    return (planes.compactMap(\.issuing) + workers.compactMap(\.issuing).filter(vouched.contains))
      .filter { seen.insert($0).inserted }
  }

  /// What the machines show.
  public var outcome: Outcome {
    let issuers = issuers
    for plane in machines where plane.machine.role == .controlPlane && !plane.holdsKey {
      return .unclear(
        "\(plane.machine.id) calls itself a control plane, but its configuration does not hold the private key of "
          + "the \(component.rawValue) it issues from: set it up with this cluster's secrets, or remove it"
      )
    }
    for issuer in issuers where authorities[issuer]?.isRoot != true {
      return .unclear(
        "\(name(issuer)) is no self-signed CA, which Talos cannot rotate: replace it by hand")
    }
    switch issuers.count {
    case 1: return oneIssues(issuers[0])
    case 2: return twoIssue(issuers[0], issuers[1])
    default:
      return .unclear(
        "the machines issue from \(issuers.count) \(component.rawValue)s ("
          + Self.list(issuers.map(name))
          + "): several rotations were begun, or an intruder has made one of them; find out who has made each, and "
          + byHand("from two at most, one of them yours"))
    }
  }

  // MARK: One issues

  /// PRE_ROTATE was begun and its key is lost, or the old authority was not taken out everywhere.
  private func oneIssues(_ issuer: String) -> Outcome {
    let beside = leftovers(except: [issuer])
    guard !known.retired.contains(issuer) || issuer == known.current else {
      return .unclear(
        "every machine issues from \(name(issuer)) again, which was retired: somebody has put old "
          + "configurations back on all of them; forget the cluster, import it anew and rotate")
    }
    if let before = [known.current, known.predecessor].compactMap({ $0 }).first(where: {
      $0 != issuer
    }) {
      return finishing(before, issuer)
    }
    guard let other = known.retired.first(where: beside.contains) ?? mostAccepted(beside) else {
      return .settled(issuer)
    }
    let isRetired = known.retired.contains(other)
    guard !isRetired, age(other) > age(issuer) else {
      return finishing(other, issuer)
    }
    return .unfinished(
      Unfinished(
        old: issuer, new: other, phase: .preRotate,
        finishObstacle: expiry(other)
          ?? "no machine issues from \(name(other)) yet, and its key is not known here",
        returnObstacle: expiry(issuer), foreign: foreign([issuer, other])))
  }

  /// Everything issues from `new`. Where every machine accepts `old` still, everything is verified once more before
  /// the first machine refuses it.
  private func finishing(_ old: String, _ new: String) -> Outcome {
    // A retired one is not waited for: it goes at once.
    let isAccepted =
      !known.retired.contains(old)
      && machines.allSatisfy { $0.acceptsFully(old) && $0.acceptsFully(new) }
    let way =
      isAccepted || known.retired.contains(old)
      ? returnObstacle(old) : "machines refuse \(name(old)) already"
    return .unfinished(
      weighed(
        Unfinished(
          old: old, new: new, phase: isAccepted ? .rotate : .postRotate,
          finishObstacle: expiry(new), returnObstacle: way ?? unreachable(old, beside: new),
          foreign: foreign([old, new]))))
  }

  // MARK: Two issue

  private func twoIssue(_ first: String, _ second: String) -> Outcome {
    let pair = [first, second]
    if let current = known.current, !pair.contains(current),
      known.predecessor.map({ !pair.contains($0) }) ?? true
    {
      return .unclear(
        "the machines issue from \(name(first)) and \(name(second)), the record "
          + "has \(current.prefix(12)): forget the cluster, then take it over with a talosconfig")
    }
    let before = [known.current, known.predecessor].compactMap { $0 }.first(where: pair.contains)
    guard let (old, new) = order(first, second, before: before) else {
      return .unclear(
        "the machines issue from \(name(first)) and \(name(second)), which are of "
          + "the same age, so that it cannot be told which of them is the new one; choose the one that stays, and "
          + byHand("from that one alone"))
    }
    if isPutBack(old, new) {
      // Machines that were put back whole refuse all others and are refused by them: nothing is lost by one step.
      return .unfinished(
        Unfinished(
          old: old, new: new, phase: .postRotate, finishObstacle: expiry(new),
          returnObstacle: "the rotation was over: start another one to go back",
          foreign: foreign(pair)))
    }
    let behind = machines.filter { !$0.acceptsFully(new) }.map(\.machine.id)
    let refusing = machines.filter { !$0.acceptsFully(old) }.map(\.machine.id)
    return .unfinished(
      weighed(
        Unfinished(
          old: old, new: new, phase: .rotate,
          finishObstacle: expiry(new) ?? keyObstacle(new)
            ?? Self.obstacle(behind, "do not accept \(name(new)) and would lose the others"),
          returnObstacle: returnObstacle(old) ?? unreachable(old, beside: new)
            ?? Self.obstacle(refusing, "refuse \(name(old)) already and would lose the others"),
          foreign: foreign(pair))))
  }

  /// Nil where they are of one age.
  private func order(
    _ first: String, _ second: String, before: String?
  ) -> (old: String, new: String)? {
    // The record has the one that was there before, unless it was retired since and has come back.
    if known.retired.contains(first) { return (first, second) }
    if known.retired.contains(second) { return (second, first) }
    if let before { return before == first ? (first, second) : (second, first) }
    guard age(first) != age(second) else { return nil }
    return age(first) < age(second) ? (first, second) : (second, first)
  }

  /// Whether a rotation from `old` to `new` was over, and somebody has given machines their old configurations again:
  /// they issue from the retired authority, and all others accept the new one.
  private func isPutBack(_ old: String, _ new: String) -> Bool {
    known.retired.contains(old)
      && machines.allSatisfy { $0.issuing == old || $0.acceptsFully(new) }
  }

  // MARK: Parts

  /// Authorities that machines accept, the first seen first.
  private func leftovers(except: [String]) -> [String] {
    var seen = Set(except)
    return machines.flatMap { [$0.listed] + $0.inUse }.flatMap { $0 }
      .filter { seen.insert($0).inserted }
  }

  /// The authority that most machines accept; of several the youngest.
  private func mostAccepted(_ certificates: [String]) -> String? {
    certificates.max { a, b in
      let counts = [a, b].map { one in machines.count { $0.acceptsAnywhere(one) } }
      return (counts[0], age(a)) < (counts[1], age(b))
    }
  }

  private func foreign(
    _ managed: [String]
  ) -> [(machine: Machine, authority: String)] {
    machines.flatMap { seen in
      var known = Set(managed)
      return ([seen.listed] + seen.inUse).flatMap { $0 }.filter { known.insert($0).inserted }
        .map { (seen.machine, $0) }
    }
  }
}
