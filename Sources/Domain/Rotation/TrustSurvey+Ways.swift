/// Which ways are open from where a rotation stands.
extension TrustSurvey {
  /// How long the authority that stays has to live at least, where there is a choice: the rotation has to reach its end,
  /// and so has the next one, which replaces it.
  public static let leastLife = Duration.seconds(24 * 3600)

  var planes: [Seen] { machines.filter { $0.machine.role == .controlPlane } }

  /// The authority by which alone every machine can be reached: all control planes issue from it and hold its key, and
  /// everybody accepts it. Nil where there is none.
  public var common: String? {
    guard let issuer = planes.first?.issuing,
      planes.allSatisfy({ $0.issuing == issuer && $0.holdsKey }),
      machines.allSatisfy({ $0.acceptsFully(issuer) })
    else { return nil }
    return issuer
  }

  /// A few names, and how many more there are: what is to be done has to fit behind them.
  static func list(_ names: [String]) -> String {
    let more = names.count > 3 ? " and \(names.count - 3) more" : ""
    return names.prefix(3).joined(separator: ", ") + more
  }

  /// What a person does where it cannot be told what anybody wanted.
  ///
  /// - Parameter goal: what the machines issue from then.
  func byHand(_ goal: String) -> String {
    "apply configurations by hand (talosctl edit machineconfig) until the control planes issue \(goal), with every CA "
      + "that is in use in the accepted lists meanwhile; then adopt again"
  }

  /// When the authority has expired; nil where it has not.
  func expiry(_ authority: String) -> String? {
    guard let end = authorities[authority]?.notAfter, end <= now else { return nil }
    return "\(name(authority)) expired on \(end)"
  }

  /// What is found, with what a new authority that has little time left does to it: where there is a way back to an old
  /// one that lives longer, that is the way.
  func weighed(_ found: Unfinished) -> Unfinished {
    guard found.finishObstacle == nil, found.returnObstacle == nil,
      let end = authorities[found.new]?.notAfter, isEnding(found.new), !isEnding(found.old)
    else { return found }
    var found = found
    found.finishObstacle =
      "\(name(found.new)) expires on \(end), before the rotation and the next one are sure to be over"
    return found
  }

  private func isEnding(_ authority: String) -> Bool {
    authorities[authority].map { now.advanced(by: Self.leastLife) >= $0.notAfter } ?? false
  }

  /// Nil where certificates can be issued from the old authority again.
  func returnObstacle(_ old: String) -> String? {
    if known.retired.contains(old) { return "\(name(old)) was retired by a rotation" }
    return expiry(old) ?? keyObstacle(old)
  }

  /// Why nobody can be led back to the old authority, because nobody can be asked any more; nil where somebody can.
  func unreachable(_ old: String, beside new: String) -> String? {
    guard expiry(new) != nil, !planes.contains(where: { $0.issuing == old }) else { return nil }
    return
      "no control plane issues from \(name(old)) any more, and what \(name(new)) has signed is good for nobody: "
      + "apply configurations by hand that issue from \(name(old))"
  }

  /// Nil where no machine is in the way.
  static func obstacle(_ machines: [String], _ what: String) -> String? {
    guard let first = machines.first else { return nil }
    let others = machines.count > 1 ? " and \(machines.count - 1) more" : ""
    return "\(first)\(others): \(what)"
  }

  /// Nil where somebody holds the authority's key.
  func keyObstacle(_ authority: String) -> String? {
    let isHeld = machines.contains { $0.issuing == authority && $0.holdsKey }
    return isHeld || known.withKeys.contains(authority)
      ? nil : "the key of \(name(authority)) is not known any more"
  }
}
