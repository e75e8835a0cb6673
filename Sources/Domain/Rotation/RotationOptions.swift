/// What whoever starts a rotation allows it beyond the usual.
public struct RotationOptions: Sendable, Hashable {
  /// Authorities that are neither the old nor the new one are taken out of every trust list.
  public var removeForeign: Bool
  /// What was not ready before the start is named, and not waited for.
  public var allowUnready: Bool
  /// Kubernetes nodes that no machine of the cluster answers for are named, and locked out.
  public var allowUnmanagedNodes: Bool
  /// The configurations are changed although Omni or Cluster API owns them, and may put them back.
  public var acknowledgeOwner: Bool
  /// How many workers may be in work at once; nil: as many as `RolloutPolicy` says.
  public var workerLimit: Int?
  /// What was not ready when the rotation was started, by the driver's own names: `node/NAME` and `pod/NAME` of Kubernetes.
  public var unready: Set<String>
  /// The wait before POST_ROTATE; nil: none.
  public var soak: Soak?
  /// Each change is tried first, and made permanent when it is verified: a machine goes back by itself if that does not
  /// happen within this time. Nil: changes are permanent at once.
  public var tryTimeout: Duration?
  /// Machines that are not waited for, because a person has said that they are gone.
  public var leftOut: LeftOutMachines

  public init(
    removeForeign: Bool = false, allowUnready: Bool = false, allowUnmanagedNodes: Bool = false,
    acknowledgeOwner: Bool = false, workerLimit: Int? = nil, unready: Set<String> = [],
    soak: Soak? = nil, tryTimeout: Duration? = nil,
    leftOut: LeftOutMachines = LeftOutMachines()
  ) {
    self.leftOut = leftOut
    self.tryTimeout = tryTimeout
    self.acknowledgeOwner = acknowledgeOwner
    self.workerLimit = workerLimit
    self.soak = soak
    self.removeForeign = removeForeign
    self.allowUnready = allowUnready
    self.allowUnmanagedNodes = allowUnmanagedNodes
    self.unready = unready
  }

  /// What a rotation that is under way is allowed from now on, when somebody allows it more: `removeForeign`,
  /// `allowUnmanagedNodes` and `leftOut` of that. The others are decided at the start.
  public func allowing(_ more: RotationOptions) -> RotationOptions {
    var options = self
    options.removeForeign = removeForeign || more.removeForeign
    options.allowUnmanagedNodes = allowUnmanagedNodes || more.allowUnmanagedNodes
    options.leftOut.add(more.leftOut)
    return options
  }

  /// Whether a rotation may start in spite of a finding.
  public func allows(_ kind: Finding.Kind) -> Bool {
    switch kind {
    case .foreignAuthority: removeForeign
    case .unready: allowUnready
    case .unmanagedNode: allowUnmanagedNodes
    case .ownedConfig: acknowledgeOwner
    case .unreachable, .expiredAuthority, .expiringAuthority, .clock, .pendingConfig,
      .uneditableConfig, .missingKey,
      .notCovered, .rotatedElsewhere, .unsupportedVersion:
      false
    }
  }
}

/// Something that keeps a rotation from reaching its end, seen before anything was touched.
public struct Finding: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A machine does not answer.
    case unreachable
    /// A trust list holds an authority that is not the cluster's.
    case foreignAuthority
    /// An authority has expired, or is not valid yet.
    case expiredAuthority
    /// An authority expires before the rotation can be over.
    case expiringAuthority
    /// The clocks of machines and host differ.
    case clock
    /// A node or a component of the control plane is not ready.
    case unready
    /// A configuration is being tried, or waits for the next boot: writing would make the one
    /// permanent and lose the other.
    case pendingConfig
    /// A configuration cannot be edited in one of the stages.
    case uneditableConfig
    /// A control plane does not hold the private key of the authority that it issues from.
    case missingKey
    /// A machine is not known to everybody who should know it, or answers for another one.
    case notCovered
    /// Kubernetes has a node that no machine of the cluster answers for.
    case unmanagedNode
    /// The machines issue from an authority that the record does not know.
    case rotatedElsewhere
    /// Talos before 1.7.
    case unsupportedVersion
    /// Somebody else owns the configuration and writes it again: Omni, or Cluster API.
    case ownedConfig
  }

  public var kind: Kind
  /// Whom it concerns: a machine's or a node's name; empty for the cluster as a whole.
  public var subject: String
  /// What was seen and what to do about it, in one line; holds no key material.
  public var message: String

  private static let subjectLimit = 128

  public init(_ kind: Kind, _ subject: String, _ message: String) {
    self.kind = kind
    self.subject = subject.bounded(to: Self.subjectLimit)
    self.message = message.bounded(to: CheckResult.detailLimit)
  }

  /// Whether it concerns a machine or node, which may have a longer name than is shown.
  func concerns(_ name: String) -> Bool { subject == name.bounded(to: Self.subjectLimit) }
}

/// What was seen when all machines were asked whether a rotation can reach its end.
public struct Preflight: Sendable, Hashable {
  /// The machines as they are now.
  public var machines: [Machine]
  public var findings: [Finding]
  /// What a person should know and what keeps nobody from starting.
  public var notes: [String]
  /// Of what was not ready: `node/NAME` and `pod/NAME`, as `RotationOptions.unready` has them.
  public var unready: Set<String>
  /// The earliest time that a machine's clock shows; nil when no clock could be read.
  public var earliestClock: Instant?
  /// Of `RotationOptions.leftOut` what a machine was found for, each name bound to that machine.
  public var leftOut = LeftOutMachines()
  /// Endpoints, as the record has them, that are no longer the cluster's, because a person has said so and nobody of the
  /// cluster answers there.
  public var goneEndpoints: Set<String> = []

  public init(
    machines: [Machine], findings: [Finding] = [], notes: [String] = [],
    unready: Set<String> = [], earliestClock: Instant? = nil
  ) {
    self.machines = machines
    self.findings = findings
    self.notes = notes
    self.unready = unready
    self.earliestClock = earliestClock
  }

  /// The findings that keep a rotation with these options from starting.
  public func obstacles(_ options: RotationOptions) -> [Finding] {
    findings.filter { !options.allows($0.kind) }
  }

  /// What to tell of a rotation that starts with these options: the notes, and what it was allowed.
  public func notes(_ options: RotationOptions) -> [String] {
    notes + findings.filter { options.allows($0.kind) }.map(\.message)
  }
}
