public import Rotation

/// Why the orchestrator refuses a request, or cannot carry it out.
public struct OrchestratorError: Error, Sendable, Hashable {
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// No such cluster.
    case notFound
    /// A cluster of that name has been imported before.
    case alreadyExists
    /// A rotation of another component is in progress.
    case anotherRotationInProgress
    /// What is asked cannot be done while a rotation is in progress.
    case rotationInProgress
    /// Somebody has locked the cluster, or a machine of it.
    case locked
    /// The cluster has no machine of that name.
    case machineNotFound
    /// No rotation is in progress that could be cancelled.
    case noRotation
    /// The rotation does not wait to be continued.
    case notSoaking
    /// The cluster has no rotation of that identifier.
    case rotationNotFound
    /// Something has to be rotated yet before the mark can go.
    case markPending
    /// The rotation has retired no authority, or the authority is in use.
    case notRetired
    /// The rotation has left nothing to report.
    case noReport
    /// Machines refuse the old authority already, so there is no way back.
    case authorityRetired
    /// The machines show what keeps a rotation from reaching its end: see `findings`.
    case notReady
    /// The machines live by other authorities than the record has.
    case recordOutdated
    /// Talos before 1.7.
    case unsupportedVersion
    /// Arguments are empty, too long or malformed: see `violations`.
    case invalidArgument
    /// The rotation has as many requests with identifiers as it may have.
    case tooManyRequests
    /// The journal cannot be written or read; nothing is done to any machine until it can.
    case journalUnavailable
    /// Another process has written to the journal.
    case journalConflict
    /// The journal cannot be understood, or is not ours.
    case journalDamaged
    /// No machine that can answer is reachable.
    case clusterUnreachable
    /// The cluster does not accept the credentials.
    case credentialsRefused
    /// A machine's clock and this host's are so far apart that one refuses the other's certificate.
    case clocksDisagree
    /// The cluster accepts the credentials, but not for this.
    case accessDenied
    /// The cluster refused what it was asked, or its configuration cannot be handled.
    case clusterRefused
    /// The orchestrator is stopping or has not been started.
    case shuttingDown
    /// A fault of the program itself.
    case internalError
  }

  public var code: Code
  /// What happened and what to do about it; one line, no key material.
  public var message: String
  /// What it is about: the first argument's name for `.invalidArgument`, else the cluster's.
  public var subject: String
  /// For `.notReady`: everything that was found, in the order of the machines.
  public var findings: [Finding]
  /// For `.invalidArgument`: everything that is wrong with the arguments; empty where the driver has refused one.
  public var violations: [ArgumentViolation] = []

  public init(_ code: Code, _ message: String, subject: String = "", findings: [Finding] = []) {
    self.code = code
    self.message = message
    self.subject = subject
    self.findings = findings
  }
}
