public import Rotation

/// What a client certificate says of itself.
public struct ClientCertificate: Sendable, Hashable {
  /// As in `O=os:admin`.
  public var subject: String
  /// Lower-case hexadecimal.
  public var serial: String
  public var notBefore: Instant
  public var notAfter: Instant

  public init(subject: String, serial: String, notBefore: Instant, notAfter: Instant) {
    self.subject = subject
    self.serial = serial
    self.notBefore = notBefore
    self.notAfter = notAfter
  }
}

/// Whether a machine lets in clients of an authority.
public struct MachineAcceptance: Sendable, Hashable {
  public enum Answer: String, Sendable, Hashable, CaseIterable {
    case accepted, refused
    /// The machine could not be asked.
    case unknown
  }

  public var machine: Machine
  public var answer: Answer
  /// What was seen, in words.
  public var detail: String

  public init(machine: Machine, answer: Answer, detail: String) {
    self.machine = machine
    self.answer = answer
    self.detail = detail
  }
}

/// Whether a credential is good still, and where.
public struct CredentialCheck: Sendable, Hashable {
  public enum Authority: Sendable, Hashable {
    /// No authority has signed it that is on record.
    case unknown
    /// The cluster's, or one of a rotation that is under way.
    case inUse
    /// A rotation of the cluster has retired it.
    case retired
  }

  public var certificate: ClientCertificate
  public var authority: Authority
  /// The fingerprint of the authority that has signed it; empty where none is on record.
  public var fingerprint: String
  /// Whose it is; empty where the authority is not known.
  public var cluster: String
  public var component: SecretComponent?
  /// Whether it is within its time.
  public var isInTime: Bool
  /// Every machine of the cluster: control planes first, each role by name.
  public var machines: [MachineAcceptance]

  /// How many machines let it in now.
  public var acceptedBy: Int { isInTime ? machines.count { $0.answer == .accepted } : 0 }
}
