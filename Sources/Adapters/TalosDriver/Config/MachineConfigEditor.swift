import Crypto
import Orchestrator
import Rotation
import YAML

/// Changes the CA fields of a machine's configuration, and not one byte beside them.
///
/// Authorities are compared by the bytes of the certificate, never by text. Applying the same twice
/// changes nothing the second time. The result is read again as Talos reads it (see ``PEMReading``) and
/// must hold what was wanted, or the edit fails.
enum MachineConfigEditor {
  struct Result: Equatable {
    var bytes: [UInt8]
    var changed: Bool
  }

  /// - Throws: `.invalidConfig` for a configuration that cannot be edited safely, with the field, its
  ///   place and the cure. `.conflict` if it issues from an authority that has no part in the rotation
  ///   or from one that the wanted stage comes before, and on a control plane that does not hold the
  ///   private key of the authority it issues from: no key is given to such a machine.
  ///
  /// - Parameter original: the text whose lines an error names; `bytes` by default.
  static func apply(
    _ wanted: WantedTrust, to bytes: [UInt8], namingPlacesOf original: [UInt8]? = nil
  ) throws(DriverError) -> Result {
    let config = try MachineConfig(bytes)
    let trust = try config.writtenTrust(wanted.component)
    let place = try config.place(of: wanted.component)
    try checkBefore(wanted, trust, place, config.role)
    do throws(TrustEditFailure) {
      return try edited(bytes, config, trust, place, wanted)
    } catch {
      // Where the text ends amid the CA fields, without a line break, it is given one.
      if let closed = TrustEdit.closed(bytes, config, place),
        let result = try? edited(closed, MachineConfig(closed), trust, place, wanted)
      {
        return Result(bytes: result.bytes, changed: true)
      }
      throw error.driverError(placesOf: original ?? bytes, document: place.document(in: config))
    }
  }

  private static func edited(
    _ bytes: [UInt8], _ config: MachineConfig, _ trust: ConfiguredTrust,
    _ place: MachineConfig.Place, _ wanted: WantedTrust
  ) throws(TrustEditFailure) -> Result {
    var edit = try TrustEdit(bytes, config, place, wanted)
    try edit.setAuthority(trust)
    try edit.setList(trust)
    try edit.closeEntries(trust)
    let result = Result(bytes: edit.bytes, changed: edit.bytes != bytes)
    try check(result, wanted, config.role, place, foreign: trust.foreign(managed: wanted.managed))
    return result
  }

  /// What has to hold before anything is written.
  private static func checkBefore(
    _ wanted: WantedTrust, _ trust: ConfiguredTrust, _ place: MachineConfig.Place,
    _ role: MachineRole
  ) throws(DriverError) {
    // A worker issues nothing: what stands in that field there is accepted and no more.
    let isReplaceable = role == .worker && wanted.removesForeign
    if let issuing = trust.issuing, !wanted.managed.contains(issuing), !isReplaceable {
      throw DriverError(
        .conflict,
        "\(place.authorityName) is an authority that this rotation does not know "
          + "(\(issuing.fingerprint)): somebody else is rotating")
    }
    if let successor = wanted.successor, successor != wanted.issuing {
      let isAhead =
        trust.issuing.map { $0 == successor }
        ?? (trust.accepted.contains(successor) && !trust.accepted.contains(wanted.issuing))
      guard !isAhead else {
        throw DriverError(
          .conflict,
          "\(place.authorityName) is the new CA already (\(successor.fingerprint)), in a stage that "
            + "keeps the old one: \(OlderRecord.text)")
      }
    }
    if let kept = wanted.kept, !trust.accepted.contains(kept) {
      throw DriverError(
        .conflict,
        "\(place.acceptedName) does not hold the old CA any more (\(kept.fingerprint)), to which the way back "
          + "leads: \(OlderRecord.text)")
    }
    guard role == .controlPlane, let issuing = trust.issuing else { return }
    guard let key = trust.issuingKey else {
      throw DriverError(
        .conflict,
        "\(place.authorityName) of this control plane has no private key, so none is written: "
          + "keys go only to machines that hold the key of the CA they issue from")
    }
    guard !wanted.keyless.contains(issuing) else {
      throw DriverError(
        .conflict,
        "\(place.authorityName) is a CA whose key is not known here (\(issuing.fingerprint)), so no key is "
          + "written: somebody else is rotating, or the machine is not what it calls itself")
    }
    guard KeyProof.holds(key, for: issuing) else {
      throw DriverError(
        .conflict,
        "\(place.authorityName) of this control plane holds another's private key than that of the "
          + "CA it issues from, so none is written: put the right key there or reset the machine")
    }
  }

  /// The edited text must hold exactly what was wanted, read as Talos reads it.
  private static func check(
    _ result: Result, _ wanted: WantedTrust, _ role: MachineRole, _ place: MachineConfig.Place,
    foreign: [Certificate]
  ) throws(TrustEditFailure) {
    func failure(_ message: String) -> TrustEditFailure {
      TrustEditFailure(
        field: place.authorityName, path: place.authorityPath,
        error: YAMLError(.unsupported, message))
    }
    let trust: ConfiguredTrust
    do {
      trust = try MachineConfig(result.bytes).trust(wanted.component)
    } catch {
      throw failure("the result would not be valid: \(error.message)")
    }
    let expected = Set(wanted.accepted).union(wanted.removesForeign ? [] : foreign)
    guard trust.accepted == expected, Set(trust.written) == expected, trust.unreadable == 0,
      trust.issuing == nil || trust.issuing == wanted.issuing,
      role == .worker || trust.issuing != nil
    else { throw failure("the result would not hold what it should") }
    guard role == .controlPlane, let issuing = trust.issuing else { return }
    guard let key = trust.issuingKey, KeyProof.holds(key, for: issuing) else {
      throw failure("the result would not hold the key of its CA")
    }
  }
}

/// Why a field could not be edited.
struct TrustEditFailure: Error {
  /// As people know it: `cluster.ca.crt`.
  var field: String
  var path: [YAMLPathElement]
  var error: YAMLError

  /// The failure in one line, with the field's place in a text that may be older than the failed one.
  func driverError(placesOf text: [UInt8], document: Int) -> DriverError {
    var place = error.line > 0 ? (error.line, error.column) : nil
    if let documents = try? YAMLParser.parse(text), documents.indices.contains(document),
      let node = documents[document].node(at: path)
    {
      place = (node.line, node.column)
    }
    let position = place.map { " (line \($0.0), column \($0.1))" } ?? ""
    return DriverError(.invalidConfig, "\(field)\(position) cannot be edited: \(error.message)")
  }
}

/// A machine that is further than the record of its rotation.
enum OlderRecord {
  /// What is the matter, and what a person does.
  static let text =
    "the record of this rotation is older than the machine, as after a restored backup or another omnid, or "
    + "somebody has edited the configuration; omnictl cluster -n NAME secret rotate adopt takes up what the machines "
    + "show, or put the configuration back"
}
