import RPCTransport
import Rotation

/// An address, beside that at which each machine is known, at which one of them may answer.
struct FurtherAddress: Hashable, Sendable, CustomStringConvertible {
  var host: String
  var port: Int
  /// Whose address it is said to be: a machine's name, or where the address stands.
  var owner: String

  var description: String { "\(HostPort(host: host, port: port)) (\(owner))" }
}

/// The addresses that the last gate asks beside those at which the machines are known.
///
/// Where they come from is what machines and configurations say. An address that is made up proves nothing and costs a
/// connection; one that leads to something that lets clients of the dropped authority in is what is looked for.
enum FurtherAddresses {
  /// The most that are asked.
  static let limit = 256

  /// The addresses at which an apid may answer.
  ///
  /// - Parameters:
  ///   - addresses: what discovery says, by node identity.
  ///   - endpoints: those of the talosconfig that was imported.
  static func ofTalos(
    _ machines: [Machine], _ addresses: [String: [String]], endpoints: [String]
  ) -> [FurtherAddress] {
    let found = machines.flatMap { machine in
      (addresses[machine.identity] ?? []).map {
        FurtherAddress(host: $0, port: machine.port, owner: machine.id)
      }
    }
    let named = endpoints.compactMap { TalosEndpoint($0) }.map {
      FurtherAddress(host: $0.host, port: $0.port, owner: "endpoint of the talosconfig")
    }
    return without(machines.map { ($0.address, $0.port) }, named + found)
  }

  /// The addresses at which an API server may answer.
  ///
  /// - Parameters:
  ///   - planes: the control planes, with their API servers' ports.
  ///   - endpoint: the cluster's, a URL.
  static func ofAPIServers(
    _ planes: [(machine: Machine, port: Int)], _ addresses: [String: [String]], endpoint: String
  ) -> [FurtherAddress] {
    let found = planes.flatMap { plane in
      (addresses[plane.machine.identity] ?? []).map {
        FurtherAddress(host: $0, port: plane.port, owner: plane.machine.id)
      }
    }
    let named = TalosEndpoint(endpoint, defaultPort: 443).map {
      FurtherAddress(host: $0.host, port: $0.port, owner: "endpoint of the cluster")
    }
    return without(planes.map { ($0.machine.address, $0.port) }, [named].compactMap { $0 } + found)
  }

  /// Each address once, without those that have been asked.
  private static func without(
    _ asked: [(host: String, port: Int)], _ found: [FurtherAddress]
  ) -> [FurtherAddress] {
    var seen = Set(asked.map { FurtherAddress(host: $0.host, port: $0.port, owner: "") })
    return found.filter {
      seen.insert(FurtherAddress(host: $0.host, port: $0.port, owner: "")).inserted
    }
  }
}

/// What an address has answered to a client of the authority that was dropped, beside one that is accepted.
enum AddressAnswer: Hashable, Sendable {
  /// The accepted client was let in, the dropped one refused.
  case refused
  /// The dropped client was let in.
  case stillIn
  /// The answer proves neither; in words.
  case unclear(String)
  /// Nobody answers from here.
  case silent
  /// Somebody answers with a certificate of the cluster's, and lets neither client in.
  case closed
  /// Somebody answers whose certificate is of none of the cluster's authorities.
  case foreign

  /// The check of all further addresses, as one.
  static func check(_ answers: [(FurtherAddress, AddressAnswer)], unasked: Int = 0) -> CheckResult {
    func those(_ isSo: (AddressAnswer) -> Bool) -> [FurtherAddress] {
      answers.filter { isSo($0.1) }.map(\.0)
    }
    let stillIn = those { $0 == .stillIn }
    guard stillIn.isEmpty else {
      return CheckResult(
        .furtherAddresses, .waiting,
        "a client of the dropped CA is still let in at \(listed(stillIn)): switch off what answers there, or set it up "
          + "anew")
    }
    for case (let address, .unclear(let text)) in answers {
      return CheckResult(.furtherAddresses, .waiting, "no clear refusal at \(address): \(text)")
    }
    guard !answers.isEmpty else {
      return CheckResult(.furtherAddresses, .passed, "no further address is known")
    }
    let refused = those { $0 == .refused }
    var parts =
      refused.isEmpty
      ? ["nobody of this cluster answers at a further address"]
      : ["a client of the dropped CA is refused at \(listed(refused))"]
    let silent = those { $0 == .silent }
    if !silent.isEmpty { parts.append("not reachable from here: \(listed(silent))") }
    let closed = those { $0 == .closed }
    if !closed.isEmpty { parts.append("lets nobody in: \(listed(closed))") }
    let foreign = those { $0 == .foreign }
    if !foreign.isEmpty { parts.append("not this cluster's: \(listed(foreign))") }
    if unasked > 0 { parts.append("\(unasked) more were not asked") }
    return CheckResult(.furtherAddresses, .passed, parts.joined(separator: "; "))
  }

  private static func listed(_ addresses: [FurtherAddress]) -> String {
    let shown = addresses.prefix(8).map(\.description).joined(separator: ", ")
    return addresses.count > 8 ? "\(shown) and \(addresses.count - 8) more" : shown
  }
}
