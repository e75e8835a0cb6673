import RPC
import Rotation
import Schema

/// Collects what is wrong with the fields of a request, so that a caller learns all of it at once.
struct RequestValidation {
  static let requestIDLimit = 128
  static let reasonLimit = 1024
  static let contextLimit = 253
  static let talosconfigLimit = 1 << 20
  static let rolesLimit = 16
  static let endpointLimit = 16
  static let roleLimit = 64
  static let shortestValidity: Int64 = 60
  static let longestValidity: Int64 = 366 * 24 * 3600

  private(set) var violations: [FieldViolation] = []

  /// A field, by its path in the request, and what is wrong with it.
  struct FieldViolation: Equatable {
    var field: String
    var problem: String
  }

  private mutating func refuse(_ field: String, _ problem: String) {
    violations.append(FieldViolation(field: field, problem: problem))
  }

  /// - Throws: INVALID_ARGUMENT that names every field that was refused.
  func passed() throws(RPCError) {
    if !violations.isEmpty { throw .badRequest(violations) }
  }

  /// The value that a check has read, once everything has passed.
  ///
  /// - Parameter value: nil when its check refused it.
  func passed<Value>(_ value: Value?) throws(RPCError) -> Value {
    try passed()
    guard let value else { throw .internalFault }
    return value
  }

  // MARK: - Fields

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

  mutating func component(_ component: Schema.SecretComponent) -> Rotation.SecretComponent? {
    let known = Rotation.SecretComponent(component)
    if known == nil {
      refuse(
        "component",
        component == .unspecified
          ? "must be SECRET_COMPONENT_TALOS_CA or SECRET_COMPONENT_KUBERNETES_CA"
          : "\(component.rawValue) is not a component that this server knows")
    }
    return known
  }

  /// Text of the caller's choice, or none: bounded, without control characters but line feeds and
  /// tabs, so that it can be shown on a terminal.
  mutating func text(_ text: String, _ field: String, limit: Int) {
    if text.unicodeScalars.count > limit {
      refuse(field, "must not be longer than \(limit) characters")
    }
    let hasControl = text.unicodeScalars.contains {
      ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F...0x9F).contains($0.value)
    }
    if hasControl { refuse(field, "must not hold control characters") }
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
    for (index, endpoint) in endpoints.prefix(Self.endpointLimit).enumerated() {
      if endpoint.isEmpty { refuse("endpoints[\(index)]", "must not be empty") }
      text(endpoint, "endpoints[\(index)]", limit: Self.contextLimit)
    }
  }

  /// Which roles there are is Talos' business, and the driver's.
  mutating func roles(_ roles: [String]) {
    if roles.count > Self.rolesLimit { refuse("roles", "must not be more than \(Self.rolesLimit)") }
    for (index, role) in roles.prefix(Self.rolesLimit).enumerated() {
      if role.isEmpty { refuse("roles[\(index)]", "must not be empty") }
      text(role, "roles[\(index)]", limit: Self.roleLimit)
    }
  }

  /// How long a credential shall be valid, in whole seconds; nil when the request does not say.
  mutating func validity(_ ttl: ProtoDuration?) -> Duration? {
    guard let ttl else { return nil }
    let isValid =
      abs(Int64(ttl.nanos)) < 1_000_000_000
      && (ttl.nanos == 0 || ttl.seconds == 0 || (ttl.nanos < 0) == (ttl.seconds < 0))
    if !isValid {
      refuse("ttl", "is not a valid duration: seconds and nanos must agree in sign")
    } else if ttl.seconds < Self.shortestValidity || ttl.seconds > Self.longestValidity
      || (ttl.seconds == Self.longestValidity && ttl.nanos > 0)
    {
      refuse("ttl", "must be at least one minute and at most 366 days")
    }
    return .seconds(ttl.seconds)
  }

  mutating func pageSize(_ size: Int32) {
    if size < 0 { refuse("page_size", "must not be negative") }
  }

  /// The name after which the page begins; nil for the first page.
  mutating func clusterPageToken(_ text: String) -> String? {
    if text.isEmpty { return nil }
    let name = ClusterPageToken.name(text)
    if name == nil {
      refuse("page_token", "is not one that was given out: begin with the first page")
    }
    return name
  }
}
