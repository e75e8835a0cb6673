import Crypto
import Encodings
import Orchestrator
import Rotation
import YAML

/// One edit of a component's CA fields under way.
struct TrustEdit {
  private var editor: YAMLEditor
  private let config: MachineConfig
  private let place: MachineConfig.Place
  private let wanted: WantedTrust

  init(
    _ bytes: [UInt8], _ config: MachineConfig, _ place: MachineConfig.Place, _ wanted: WantedTrust
  ) throws(TrustEditFailure) {
    (self.config, self.place, self.wanted) = (config, place, wanted)
    do {
      editor = try YAMLEditor(bytes)
    } catch {
      throw TrustEditFailure(field: place.authorityName, path: place.authorityPath, error: error)
    }
  }

  var bytes: [UInt8] { editor.bytes }

  // MARK: The authority

  /// Brings the field of the authority, and its key, to what is wanted. Further certificates in the
  /// field stay if they are to be accepted, and so does whatever text stands around them.
  mutating func setAuthority(_ trust: ConfiguredTrust) throws(TrustEditFailure) {
    guard let authority = trust.authority, let issuing = trust.issuing else { return }
    let rest = authority.certificates.dropFirst()
    guard issuing != wanted.issuing || !rest.allSatisfy(wanted.keeps) else { return }
    // A certificate that comes to stand in the list leaves the field with the authority it came with.
    let isOther = issuing != wanted.issuing
    let text = authority.text(
      keeping: { index in
        let certificate = authority.certificates[index]
        return wanted.keeps(certificate) && !(isOther && wanted.managed.contains(certificate))
      }, first: wanted.issuing)
    guard let text else { return }
    try set(encoded(text), at: place.authorityPath + [.key(place.certificateKey)])
    guard config.role == .controlPlane, isOther, let key = wanted.issuingKey else { return }
    try set(
      encoded(key.unprotectedText), at: place.authorityPath + ["key"], after: place.certificateKey)
  }

  // MARK: The list

  /// Brings the accepted list to what is wanted. Entries that hold nothing of the rotation stay.
  mutating func setList(_ trust: ConfiguredTrust) throws(TrustEditFailure) {
    var target = wanted.listed(hasIssuing: trust.issuing != nil)
    if let authority = trust.authority, trust.issuing == wanted.issuing {
      let beside = Set(authority.certificates.dropFirst())
      target.removeAll { beside.contains($0) }
    }
    var removals: [Int] = []
    let entries = trust.entries
    // Entries of several certificates lose those that are to go.
    for (slot, entry) in entries.enumerated() where entry.certificates.count > 1 {
      var stays: Set<Int> = []
      for (index, certificate) in entry.certificates.enumerated() {
        if !wanted.managed.contains(certificate) {
          if wanted.keeps(certificate) { stays.insert(index) }
        } else if let wanted = target.firstIndex(of: certificate) {
          target.remove(at: wanted)
          stays.insert(index)
        }
      }
      guard stays.count < entry.certificates.count else { continue }
      if let text = entry.text(keeping: stays.contains) {
        try replace(slot, with: text)
      } else {
        removals.append(slot)
      }
    }
    if wanted.removesForeign {
      removals += entries.indices.filter { slot in
        entries[slot].certificates.count == 1 && !wanted.keeps(entries[slot].certificates[0])
          && !wanted.managed.contains(entries[slot].certificates[0])
      }
    }
    removals += try fillSlots(entries, with: target)
    try remove(removals.sorted(), of: entries.count)
  }

  /// Brings the entries that hold one certificate of the rotation to `target`, in order.
  ///
  /// - Returns: those that are too many.
  private mutating func fillSlots(
    _ entries: [TrustEntry], with target: [Certificate]
  ) throws(TrustEditFailure) -> [Int] {
    let slots = entries.indices.filter { slot in
      entries[slot].certificates.count == 1
        && wanted.managed.contains(entries[slot].certificates[0])
    }
    let present = slots.map { entries[$0].certificates[0] }
    guard present != target else { return [] }
    if let kept = Self.subsequence(target, in: present) {
      // Only some are too many: take those out and leave the others as they are written.
      return slots.indices.filter { !kept.contains($0) }.map { slots[$0] }
    }
    for (slot, pair) in zip(slots, zip(present, target)) where pair.0 != pair.1 {
      try replace(
        slot, with: entries[slot].text(keeping: { _ in false }, first: pair.1) ?? pair.1.pem)
    }
    for certificate in target.dropFirst(slots.count) { try append(certificate) }
    return Array(slots.dropFirst(target.count))
  }

  private mutating func remove(_ slots: [Int], of count: Int) throws(TrustEditFailure) {
    guard !slots.isEmpty else { return }
    let path = place.listPath
    let list = editor.documents[document].node(at: path)
    // A list that this editor has begun goes again when it is empty; one that was there as `[]` stays.
    if slots.count == list?.items?.count, slots.count == count, list?.isFlow != true {
      return try attempt(path) { editor, document throws(YAMLError) in
        try editor.removeOrEmpty(at: path, document: document)
      }
    }
    for slot in slots.reversed() {
      try attempt(path + [.index(slot)]) { editor, document throws(YAMLError) in
        try editor.remove(at: path + [.index(slot)], document: document)
      }
    }
  }

  private mutating func replace(_ slot: Int, with pem: String) throws(TrustEditFailure) {
    try set(encoded(pem), at: place.entryPath(slot))
  }

  private mutating func append(_ certificate: Certificate) throws(TrustEditFailure) {
    let path = place.listPath
    let item = place.entry(encoded(certificate.pem))
    let isThere = editor.documents[document].node(at: path).map { !$0.isNull } ?? false
    let sibling = place.authorityKey
    try attempt(path) { editor, document throws(YAMLError) in
      if isThere {
        try editor.append(item, to: path, document: document)
      } else {
        try editor.set([item], at: path, document: document, after: sibling)
      }
    }
  }

  // MARK: Line breaks

  /// Gives every entry that another one follows a line break at its end: Talos joins them without a
  /// separator.
  mutating func closeEntries(_ before: ConfiguredTrust) throws(TrustEditFailure) {
    let trust: ConfiguredTrust
    do {
      trust = try MachineConfig(editor.bytes).writtenTrust(wanted.component)
    } catch {
      throw TrustEditFailure(
        field: place.authorityName, path: place.authorityPath,
        error: YAMLError(.unsupported, "the result would not be valid: \(error.message)"))
    }
    if let authority = trust.authority, !authority.isClosed,
      place.joinOrders.contains(.authorityFirst),
      trust.entries.contains(where: { !$0.text.isEmpty })
    {
      try set(
        encoded(authority.closedText), at: place.authorityPath + [.key(place.certificateKey)])
    }
    let hasFollower = trust.authority != nil && place.joinOrders.contains(.authorityLast)
    for (slot, entry) in trust.entries.enumerated() where !entry.isClosed {
      let isFollowed = trust.entries[(slot + 1)...].contains { !$0.text.isEmpty }
      guard isFollowed || hasFollower else { continue }
      try replace(slot, with: entry.closedText)
    }
  }

  /// The text with a line break at its end, if it has none and ends amid the CA fields; nil otherwise.
  static func closed(
    _ bytes: [UInt8], _ config: MachineConfig, _ place: MachineConfig.Place
  ) -> [UInt8]? {
    let fields: [[YAMLPathElement]] = [
      place.authorityPath + [.key(place.certificateKey)], place.authorityPath + ["key"],
      place.listPath,
    ]
    guard var editor = try? YAMLEditor(bytes) else { return nil }
    do {
      try editor.endLastLine(changing: fields, document: place.document(in: config))
      return editor.bytes == bytes ? nil : editor.bytes
    } catch { return nil }
  }

  // MARK: Single edits

  private var document: Int { place.document(in: config) }

  /// A PEM text as this place writes it.
  private func encoded(_ pem: String) -> String {
    switch place {
    case .section: Base64.encode(pem)
    case .document: pem
    }
  }

  private mutating func set(
    _ text: String, at path: [YAMLPathElement], after sibling: String? = nil
  ) throws(TrustEditFailure) {
    try attempt(path) { editor, document throws(YAMLError) in
      try editor.set(.string(text), at: path, document: document, after: sibling)
    }
  }

  private mutating func attempt(
    _ path: [YAMLPathElement], _ edit: (inout YAMLEditor, Int) throws(YAMLError) -> Void
  ) throws(TrustEditFailure) {
    do throws(YAMLError) {
      try edit(&editor, document)
    } catch { throw TrustEditFailure(field: place.name(of: path), path: path, error: error) }
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
