import Orchestrator
import Rotation

/// What may be asked of the desk. Collects everything that is wrong.
struct AccessArguments {
  static let nameLimit = 64
  static let clusterLimit = 64
  static let requestLimit = 16 << 10

  private(set) var violations: [ArgumentViolation] = []

  private mutating func refuse(_ argument: String, _ problem: String) {
    violations.append(ArgumentViolation(argument, problem))
  }

  func check() throws(AccessError) {
    if !violations.isEmpty { throw .invalid(violations) }
  }

  /// Names stand in records and logs, where they must not pretend to be something else.
  mutating func name(_ name: String) {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x40, 0x5f: true
      default: false
      }
    }
    if !(1...Self.nameLimit).contains(name.utf8.count) || !isPlain {
      refuse("name", "must be 1 to \(Self.nameLimit) letters, digits, '-', '.', '_' and '@'")
    }
  }

  mutating func role(_ role: Role?) -> Role {
    if let role { return role }
    refuse("role", "must be reader, operator or admin")
    return .reader
  }

  mutating func validity(_ validity: Duration) {
    if !AccessDesk.validity.contains(validity) {
      refuse("ttl", "must be at least one minute and at most 366 days")
    }
  }

  mutating func certificateRequest(_ request: String) {
    if request.isEmpty { refuse("certificate_request", "must not be empty") }
    if request.utf8.count > Self.requestLimit {
      refuse("certificate_request", "must have at most \(Self.requestLimit) bytes")
    }
  }

  mutating func clusters(_ clusters: [String]) {
    if clusters.count > Self.clusterLimit {
      refuse("clusters", "must be at most \(Self.clusterLimit)")
    }
    for (index, cluster) in clusters.prefix(Self.clusterLimit).enumerated()
    where !RotationOrchestrator.isClusterName(cluster) {
      refuse(
        "clusters[\(index)]",
        "must be 1 to 63 lower-case letters, digits and '-', not '-' at either end")
    }
  }

  /// The id of a grant; of a serial number its lower-case digits, without what separates them.
  mutating func grant(_ id: String, isSerial: Bool) -> String {
    if id.isEmpty { refuse("id", "must not be empty") }
    if id.utf8.count > 128 { refuse("id", "must have at most 128 bytes") }
    guard isSerial else { return id }
    let digits = id.lowercased().filter { $0 != ":" }.drop { $0 == "0" }
    if digits.isEmpty || !digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }) {
      refuse("id", "must be a serial number in hexadecimal")
    }
    return String(digits)
  }
}
