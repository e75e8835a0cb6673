import Crypto
import Orchestrator
import Rotation
import YAML

/// Changes the CA fields of a machine's configuration, and not one byte beside them.
///
/// Authorities are compared by the bytes of the certificate, never by text. Applying the same twice
/// changes nothing the second time. The result is read again and must hold what was wanted, or the edit
/// fails.
enum MachineConfigEditor {
  struct Result: Equatable {
    var bytes: [UInt8]
    var changed: Bool
  }

  /// - Throws: `.invalidConfig` for a configuration that cannot be edited safely, `.conflict` if it
  ///   issues from an authority that has no part in the rotation.
  static func apply(_ wanted: WantedTrust, to bytes: [UInt8]) throws(DriverError) -> Result {
    let config = try MachineConfig(bytes)
    let trust = try config.trust(wanted.component)
    let place = try config.place(of: wanted.component)
    if let issuing = trust.issuing, !wanted.managed.contains(issuing) {
      throw DriverError(
        .conflict,
        "\(place.authorityName) is an authority that this rotation does not know "
          + "(\(issuing.fingerprint)): somebody else is rotating")
    }
    do throws(YAMLError) {
      var edit = Edit(editor: try YAMLEditor(bytes), config: config, place: place, wanted: wanted)
      try edit.setIssuing(trust)
      try edit.setListed(trust)
      let result = Result(bytes: edit.editor.bytes, changed: edit.editor.bytes != bytes)
      try check(result, wanted, config.role, foreign: trust.accepted.subtracting(wanted.managed))
      return result
    } catch {
      throw DriverError(.invalidConfig, "\(place.authorityName) cannot be edited: \(error)")
    }
  }

  /// The edited text must hold exactly what was wanted.
  private static func check(
    _ result: Result, _ wanted: WantedTrust, _ role: MachineRole, foreign: Set<Certificate>
  ) throws(YAMLError) {
    let trust: ConfiguredTrust
    do {
      trust = try MachineConfig(result.bytes).trust(wanted.component)
    } catch {
      throw YAMLError(.unsupported, "the result would not be valid")
    }
    guard trust.accepted == Set(wanted.accepted).union(foreign),
      trust.issuing == nil || trust.issuing == wanted.issuing,
      role == .worker || trust.issuing != nil
    else { throw YAMLError(.unsupported, "the result would not hold what it should") }
  }
}

/// One edit under way.
private struct Edit {
  var editor: YAMLEditor
  let config: MachineConfig
  let place: MachineConfig.Place
  let wanted: WantedTrust

  private var document: Int {
    switch place {
    case .section: config.v1alpha1
    case .document(let index): index
    }
  }

  private var authorityPath: [YAMLPathElement] {
    switch place {
    case .section(let name): [.key(name), "ca"]
    case .document: ["issuingCA"]
    }
  }

  private var listPath: [YAMLPathElement] {
    switch place {
    case .section(let name): [.key(name), "acceptedCAs"]
    case .document: ["acceptedCAs"]
    }
  }

  /// A PEM text as this place writes it.
  private func text(_ pem: String) -> String {
    switch place {
    case .section: Base64.encode(pem)
    case .document: pem
    }
  }

  private func item(_ certificate: Certificate) -> YAMLValue {
    switch place {
    case .section: ["crt": .string(text(certificate.pem))]
    case .document: .string(text(certificate.pem))
    }
  }

  mutating func setIssuing(_ trust: ConfiguredTrust) throws(YAMLError) {
    guard let issuing = trust.issuing else { return }
    if issuing != wanted.issuing {
      try editor.set(
        .string(text(wanted.issuing.pem)), at: authorityPath + [.key(place.certificateKey)],
        document: document)
    }
    guard config.role == .controlPlane, let wantedKey = wanted.issuingKeyPEM else { return }
    if issuing == wanted.issuing, let key = trust.issuingKeyPEM,
      (try? PrivateKey(pem: key))?.matches(issuing) == true
    {
      return
    }
    try editor.set(
      .string(text(wantedKey)), at: authorityPath + ["key"], document: document,
      after: place.certificateKey)
  }

  mutating func setListed(_ trust: ConfiguredTrust) throws(YAMLError) {
    let target = wanted.listed(hasIssuing: trust.issuing != nil)
    let slots = trust.listed.indices.filter { wanted.managed.contains(trust.listed[$0]) }
    let present = slots.map { trust.listed[$0] }
    guard present != target else { return }
    var removals: [Int] = []
    if let kept = Self.subsequence(target, in: present) {
      // Only some are too many: take those out and leave the others as they are written.
      removals = slots.indices.filter { !kept.contains($0) }.map { slots[$0] }
    } else {
      for (index, slot) in slots.enumerated() {
        guard index < target.count else {
          removals.append(slot)
          continue
        }
        if present[index] != target[index] { try replace(slot, with: target[index]) }
      }
      for certificate in target.dropFirst(slots.count) { try append(certificate) }
    }
    // A list that this editor has begun goes again when it is empty; one that was there as `[]` stays.
    let isFlow = editor.documents[document].node(at: listPath)?.isFlow == true
    if removals.count == trust.listed.count, target.isEmpty, !isFlow {
      try editor.remove(at: listPath, document: document)
    } else {
      for slot in removals.reversed() {
        try editor.remove(at: listPath + [.index(slot)], document: document)
      }
    }
  }

  private mutating func replace(_ slot: Int, with certificate: Certificate) throws(YAMLError) {
    let path = listPath + [.index(slot)]
    switch place {
    case .section:
      try editor.set(.string(text(certificate.pem)), at: path + ["crt"], document: document)
    case .document: try editor.set(item(certificate), at: path, document: document)
    }
  }

  private mutating func append(_ certificate: Certificate) throws(YAMLError) {
    if let list = editor.documents[document].node(at: listPath), !list.isNull {
      return try editor.append(item(certificate), to: listPath, document: document)
    }
    let sibling: String? =
      switch place {
      case .section: "ca"
      case .document: nil
      }
    try editor.set([item(certificate)], at: listPath, document: document, after: sibling)
  }

  /// The positions in `list` at which `target` stands in order, if it does.
  private static func subsequence(_ target: [Certificate], in list: [Certificate]) -> Set<Int>? {
    var positions: Set<Int> = []
    var next = list.startIndex
    for certificate in target {
      guard let found = list[next...].firstIndex(of: certificate) else { return nil }
      positions.insert(found)
      next = found + 1
    }
    return positions
  }
}
