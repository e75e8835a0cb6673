import Rotation

/// An argument of a request, by its name in the schema, and what is wrong with it.
public struct ArgumentViolation: Sendable, Hashable {
  public var argument: String
  public var problem: String

  public init(_ argument: String, _ problem: String) {
    self.argument = argument
    self.problem = problem
  }
}

extension RotationOrchestrator {
  /// Whether a cluster may bear the name: a DNS label (RFC 1123 section 2.1), in lower case.
  public static func isClusterName(_ name: String) -> Bool { Arguments.isDNSLabel(name) }
}

/// What may be asked: lengths and forms of arguments. Collects everything that is wrong, so that whoever asks learns
/// all of it at once.
struct Arguments {
  static let requestIDLimit = 128
  static let reasonLimit = 1024
  static let requesterLimit = 256
  static let talosconfigLimit = 1 << 20
  static let contextLimit = 253
  static let endpointLimit = 16
  static let listingLimit = 5000
  static let rolesLimit = 16
  static let roleLimit = 64
  static let validity = Duration.seconds(60)...Duration.seconds(366 * 24 * 3600)

  static let tryTimeouts: ClosedRange<Duration> = .seconds(60) ... .seconds(3600)
  static let workerLimits = 1...1000

  static let soakTimes = Duration.seconds(1)...Duration.seconds(30 * 24 * 3600)

  private(set) var violations: [ArgumentViolation] = []

  private mutating func refuse(_ argument: String, _ problem: String) {
    violations.append(ArgumentViolation(argument, problem))
  }

  /// - Throws: `.invalidArgument` with everything that was refused.
  func check() throws(OrchestratorError) {
    if !violations.isEmpty { throw .invalid(violations) }
  }

  /// A cluster's name: a DNS label (RFC 1123 section 2.1), in lower case.
  mutating func cluster(_ name: String) {
    if name.isEmpty {
      refuse("cluster", "must not be empty")
    } else if !Self.isDNSLabel(name) {
      refuse(
        "cluster", "must be 1 to 63 lower-case letters, digits and '-', not '-' at either end")
    }
  }

  static func isDNSLabel(_ name: String) -> Bool {
    let hyphen = UInt8(ascii: "-")
    return (1...63).contains(name.utf8.count) && name.utf8.first != hyphen
      && name.utf8.last != hyphen
      && name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == hyphen
      }
  }

  /// How long a rotation shall wait before POST_ROTATE.
  mutating func soak(_ soak: Soak?) {
    guard case .lasting(let duration)? = soak else { return }
    if !Self.soakTimes.contains(duration) {
      refuse("soak", "must be at least one second and at most 30 days")
    }
  }

  /// A mark that there is not.
  mutating func mark(_ name: String) {
    refuse(
      "mark", "must be one of " + ClusterMark.Kind.allCases.map(\.rawValue).joined(separator: ", "))
  }

  /// How many workers may be in work at once; nil: as many as usual.
  mutating func workerLimit(_ limit: Int?) {
    guard let limit, !Self.workerLimits.contains(limit) else { return }
    refuse("max_parallel_workers", "must be 1 to \(Self.workerLimits.upperBound)")
  }

  /// How long a machine tries a change; nil: it does not.
  mutating func tryTimeout(_ timeout: Duration?) {
    guard let timeout, !Self.tryTimeouts.contains(timeout) else { return }
    refuse("try_timeout", "must be 1 minute to 1 hour")
  }

  /// Whether rotating the component does anything about the cause.
  mutating func cause(_ cause: RotationCause?, _ component: SecretComponent?) {
    guard let cause, let component, let needs = cause.needs, !needs.contains(component) else {
      return
    }
    let right = SecretComponent.allCases.filter(needs.contains).map(\.rawValue)
      .joined(separator: " and ")
    refuse(
      "cause", "\(cause.rawValue) is dealt with by rotating \(right), not \(component.rawValue)")
  }

  /// A machine's name: a Kubernetes node name.
  mutating func machine(_ name: String) {
    if name.isEmpty { refuse("machine", "must not be empty") }
    text(name, "machine", limit: Self.contextLimit)
  }

  /// - Parameter component: nil when the one that was named is not known.
  mutating func component(_ component: SecretComponent?) {
    guard component == nil else { return }
    let known = SecretComponent.allCases.map(\.rawValue).joined(separator: " or ")
    refuse("component", "must be \(known)")
  }

  /// Text of the caller's choice, or none: bounded, without control characters but line feeds and
  /// tabs, so that it can be shown on a terminal.
  mutating func text(_ text: String, _ argument: String, limit: Int) {
    if text.unicodeScalars.count > limit {
      refuse(argument, "must not be longer than \(limit) characters")
    }
    let hasControl = text.unicodeScalars.contains {
      ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F...0x9F).contains($0.value)
    }
    if hasControl { refuse(argument, "must not hold control characters") }
  }

  /// Certificates with their chains are smaller.
  private static let certificateLimit = 64 << 10

  mutating func certificate(_ text: String) {
    if text.isEmpty {
      refuse("certificate", "must not be empty")
    } else if text.utf8.count > Self.certificateLimit {
      refuse("certificate", "must not be longer than \(Self.certificateLimit) bytes")
    }
  }

  mutating func talosconfig(_ text: String) {
    if text.isEmpty {
      refuse("talosconfig", "must not be empty")
    } else if text.utf8.count > Self.talosconfigLimit {
      refuse("talosconfig", "must not be longer than \(Self.talosconfigLimit) bytes")
    }
  }

  /// Addresses of the Talos API to dial instead of the talosconfig's own.
  mutating func endpoints(_ endpoints: [String]) {
    if endpoints.count > Self.endpointLimit {
      refuse("endpoints", "must not be more than \(Self.endpointLimit)")
    }
    list(endpoints.prefix(Self.endpointLimit), "endpoints", limit: Self.contextLimit)
  }

  /// The machines of a cluster whose discovery is off.
  mutating func listing(_ listing: MachineListing) {
    if listing.controlPlanes.isEmpty {
      refuse("control_planes", "must not be empty where workers are given")
    }
    let count = listing.controlPlanes.count + listing.workers.count
    if count > Self.listingLimit {
      refuse("workers", "must not be more than \(Self.listingLimit) with the control planes")
    }
    let planes = listing.controlPlanes.prefix(Self.listingLimit)
    list(planes, "control_planes", limit: Self.contextLimit)
    list(listing.workers.prefix(Self.listingLimit), "workers", limit: Self.contextLimit)
  }

  /// Machines that are to be left out.
  mutating func leftOut(_ machines: LeftOutMachines) {
    if machines.names.count > LeftOutMachines.limit {
      refuse("leave_out", "must not be more than \(LeftOutMachines.limit)")
    }
    list(
      machines.names.sorted().prefix(LeftOutMachines.limit), "leave_out",
      limit: Self.contextLimit)
  }

  /// Which roles there are is Talos' business, and the driver's.
  mutating func roles(_ roles: [String]) {
    if !(1...Self.rolesLimit).contains(roles.count) {
      refuse("roles", "must be 1 to \(Self.rolesLimit)")
    }
    list(roles.prefix(Self.rolesLimit), "roles", limit: Self.roleLimit)
  }

  private mutating func list(_ texts: ArraySlice<String>, _ argument: String, limit: Int) {
    for (index, text) in texts.enumerated() {
      if text.isEmpty { refuse("\(argument)[\(index)]", "must not be empty") }
      self.text(text, "\(argument)[\(index)]", limit: limit)
    }
  }

  /// How long a credential shall be valid.
  mutating func validity(_ ttl: Duration) {
    if !Self.validity.contains(ttl) {
      refuse("ttl", "must be at least one minute and at most 366 days")
    }
  }

  mutating func page(_ request: PageRequest) {
    if request.size < 0 { refuse("page_size", "must not be negative") }
    if !request.token.isEmpty, request.after == nil {
      refuse("page_token", "is not one that was given out: begin with the first page")
    }
  }
}
