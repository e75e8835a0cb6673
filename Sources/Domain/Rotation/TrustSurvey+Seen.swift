extension TrustSurvey {
  /// What one machine holds and uses.
  public struct Seen: Sendable {
    public var machine: Machine
    /// What its configuration issues from; nil on a worker that only lists what it accepts.
    public var issuing: String?
    /// Whether its configuration holds the key of that, as a signature has proved.
    public var holdsKey: Bool
    /// What its configuration accepts.
    public var listed: [String]
    /// The trust lists that it works with.
    public var inUse: [[String]]

    public init(
      machine: Machine, issuing: String?, holdsKey: Bool, listed: [String], inUse: [[String]]
    ) {
      self.machine = machine
      self.issuing = issuing
      self.holdsKey = holdsKey
      self.listed = listed
      self.inUse = inUse
    }

    /// Whether clients of the authority are let in, by the configuration and by every list in use.
    func acceptsFully(_ certificate: String) -> Bool {
      listed.contains(certificate) && inUse.allSatisfy { $0.contains(certificate) }
    }

    /// Whether any list has it.
    func acceptsAnywhere(_ certificate: String) -> Bool {
      listed.contains(certificate) || inUse.contains { $0.contains(certificate) }
    }
  }
}

extension TrustSurvey.Seen {
  /// What the machine shows, in the words of a rotation from `old` to `new`.
  public func trust(_ old: String, _ new: String) -> MachineTrust {
    let (acceptsOld, acceptsNew) = (acceptsAnywhere(old), acceptsAnywhere(new))
    // A worker that only lists what it accepts issues nothing: the others say what it is.
    let issuer = issuing ?? (acceptsOld && listed.first == old ? old : acceptsNew ? new : old)
    let standing: MachineTrust.Standing =
      switch (issuer, acceptsOld, acceptsNew) {
      case (old, true, false): .before
      case (old, true, true): .prepared
      case (new, true, true): .rotated
      case (new, false, true): .finished
      default: .irregular
      }
    return MachineTrust(
      machine: machine, standing: standing, issuing: issuing ?? "",
      accepted: Set(listed + inUse.flatMap { $0 }).sorted())
  }
}
