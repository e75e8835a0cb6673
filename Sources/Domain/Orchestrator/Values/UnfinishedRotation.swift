public import Rotation

/// A rotation that another tool, or an omnid whose store is lost, has left half done, as the machines show it; also one
/// that was finished without this omnid's knowledge.
public struct UnfinishedRotation: Sendable, Hashable {
  public var component: SecretComponent
  /// The authority that goes when the rotation is finished. Without a key where nobody knows it any more.
  public var old: SealedAuthority
  /// The authority that stays then, its key sealed for the rotation that `SurveyRequest.rotation` names. Without a key
  /// where no machine issues from it yet.
  public var new: SealedAuthority
  /// The stage in which it is finished, or which is undone first.
  public var phase: RotationPhase
  /// Why it cannot be finished; nil where it can.
  public var finishObstacle: String?
  /// Why it cannot be taken back; nil where it can.
  public var returnObstacle: String?
  /// Whether the old authority has expired: nobody goes back to it, although its key may be known.
  public var isOldOver: Bool
  /// Every machine: control planes first, each role by name.
  public var machines: [MachineTrust]

  public init(
    component: SecretComponent, old: SealedAuthority, new: SealedAuthority, phase: RotationPhase,
    finishObstacle: String? = nil, returnObstacle: String? = nil, isOldOver: Bool = false,
    machines: [MachineTrust]
  ) {
    self.isOldOver = isOldOver
    self.component = component
    self.old = old
    self.new = new
    self.phase = phase
    self.finishObstacle = finishObstacle
    self.returnObstacle = returnObstacle
    self.machines = machines
  }
}

/// A component of which it cannot be told how far a rotation has come, or which authority is the new one. Nothing is done
/// about it, because a wrong guess could make all machines trust an intruder's authority.
public struct UnclearComponent: Sendable, Hashable {
  public var component: SecretComponent
  /// What the machines show, and what a person can do about it, in one line.
  public var reason: String

  public init(_ component: SecretComponent, _ reason: String) {
    self.component = component
    self.reason = reason.bounded(to: CheckResult.detailLimit)
  }

  /// In one line.
  public var text: String { "the \(component.rawValue) cannot be told apart: \(reason)" }
}

/// What is looked for in a cluster that somebody else may have rotated.
public struct SurveyRequest: Sendable, Hashable {
  /// What the cluster is or will be called; authorities are sealed for that name.
  public var cluster: String
  /// The identifier that the rotation will have if it is taken over.
  public var rotation: String
  /// The record; nil for a cluster that is not known yet.
  public var known: ClusterRecord?
  /// Authorities that rotations of this cluster have retired: machines may let in their clients alone.
  public var retired: RetiredAuthorities
  /// How to reach the machines; nil: as the record says.
  public var access: DiscoveryRequest?
  /// The machines; nil: as the record says, or those that cluster discovery knows.
  public var listing: MachineListing?
  /// Members that need not answer.
  public var leftOut: LeftOutMachines
  /// What the rotation that is under way does to every machine: both of its authorities are in use, and only the other
  /// component is looked at, without findings. Nil where none is.
  public var running: TrustChange?

  public init(
    cluster: String, rotation: String, known: ClusterRecord?, retired: RetiredAuthorities,
    access: DiscoveryRequest?, listing: MachineListing? = nil,
    leftOut: LeftOutMachines = LeftOutMachines(), running: TrustChange? = nil
  ) {
    self.running = running
    self.leftOut = leftOut
    self.listing = listing
    self.cluster = cluster
    self.rotation = rotation
    self.known = known
    self.retired = retired
    self.access = access
  }
}

/// A cluster as a survey has found it.
public struct SurveyedCluster: Sendable, Hashable {
  /// What an import would record. Its authorities are those with which the machines can be reached; of a component
  /// whose rotation is unfinished the one of the record, where it is in use still. Of one that is unclear it is the one
  /// of the record, or none.
  public var record: ClusterRecord
  /// At most one of each component.
  public var unfinished: [UnfinishedRotation]
  /// None of those in `unfinished`.
  public var unclear: [UnclearComponent]
  /// Why the machines cannot all be reached by the Talos CA in `record`, so that no other component is dealt with before
  /// that one; nil where they can.
  public var talosObstacle: String?
  /// What the cluster shows as not ready because of an unclear component, as `RotationOptions.unready` has it.
  public var unready: Set<String>
  /// What keeps a rotation from reaching its end.
  public var findings: [Finding]
  /// What a person has to know, a line each.
  public var warnings: [String]
  /// Of `SurveyRequest.leftOut` what a machine was found for that is left out, each name bound to that machine.
  public var leftOut = LeftOutMachines()
  /// Endpoints that are left out: see `Preflight.goneEndpoints`.
  public var goneEndpoints: Set<String> = []

  public init(
    record: ClusterRecord, unfinished: [UnfinishedRotation] = [],
    unclear: [UnclearComponent] = [], talosObstacle: String? = nil, unready: Set<String> = [],
    findings: [Finding] = [], warnings: [String] = []
  ) {
    self.record = record
    self.unfinished = unfinished
    self.unclear = unclear
    self.talosObstacle = talosObstacle
    self.unready = unready
    self.findings = findings
    self.warnings = warnings
  }
}

/// What a person asks for who has a rotation taken over.
public struct AdoptionOrder: Sendable, Hashable {
  public var cluster: String
  /// Nil: whichever was left half done, the Talos CA first.
  public var component: SecretComponent?
  /// How to reach the machines; nil: as the record says. Needed for a cluster that is not known, and where the machines
  /// refuse what the record has.
  public var access: DiscoveryRequest?
  /// The machines, where cluster discovery is off; nil: as the record says, or those that discovery knows.
  public var listing: MachineListing?
  /// Whether the old authority is to stay. Where only one way is open, that is gone whatever this says.
  public var goesBack: Bool
  /// Whether only retired authorities are dealt with that have come back.
  public var onlyHeals: Bool
  /// Asks the machines, changes and records nothing.
  public var dryRun: Bool
  public var options: RotationOptions
  /// At most 1024 characters.
  public var reason: String
  /// Who asks; at most 256 characters.
  public var requester: String
  /// By which call, as the server's log has it; empty: by none.
  public var call: String

  public init(
    cluster: String, component: SecretComponent? = nil, access: DiscoveryRequest? = nil,
    listing: MachineListing? = nil, goesBack: Bool = false, onlyHeals: Bool = false,
    dryRun: Bool = false,
    options: RotationOptions = RotationOptions(),
    reason: String = "", requester: String = "", call: String = ""
  ) {
    self.cluster = cluster
    self.component = component
    self.access = access
    self.listing = listing
    self.goesBack = goesBack
    self.onlyHeals = onlyHeals
    self.dryRun = dryRun
    self.options = options
    self.reason = reason
    self.requester = requester
    self.call = call
  }
}

/// What came of it.
public struct AdoptionTicket: Sendable {
  /// Nil for a dry run of a cluster that is not known.
  public var status: RotationSnapshot?
  /// Whether the rotation runs already, and nothing new was begun.
  public var isAttached: Bool
  /// What was found half done. The first is the one that is taken over. Where the rotation runs already: what another tool
  /// has rotated to its end of the other component, whose new authority is on record from now on.
  public var unfinished: [UnfinishedRotation]
  /// What was left alone because it cannot be told apart.
  public var unclear: [UnclearComponent] = []
  /// Whether the first one is taken back, and not finished.
  public var goesBack: Bool
  /// What a person has to know, a line each.
  public var notes: [String]
}

extension UnfinishedRotation {
  /// Whether it is taken back.
  ///
  /// - Throws: `.clusterRefused` where the way that was asked for, or both, are closed.
  func way(
    _ order: AdoptionOrder, cluster: String
  ) throws(OrchestratorError) -> Bool {
    switch (finishObstacle, returnObstacle) {
    case (nil, nil): return order.goesBack
    case (nil, let obstacle?):
      guard order.goesBack else { return false }
      throw OrchestratorError(
        .clusterRefused,
        "the rotation of the \(component.rawValue) cannot be taken back: \(obstacle); without --roll-back it is "
          + "finished", subject: cluster)
    case (_?, nil): return true
    case (let finish?, let back?):
      throw OrchestratorError(
        .clusterRefused,
        "the rotation of the \(component.rawValue) that was left half done can neither be finished (\(finish)) "
          + "nor taken back (\(back))", subject: cluster)
    }
  }

  func note(goesBack: Bool) -> String {
    "taken over in \(phase.name), to be \(goesBack ? "taken back" : "finished"): somebody else had begun it"
  }
}
