internal import Crypto
internal import Encodings
internal import YAML

/// What another writer does to a config: it adds a CA to an accepted list, or takes one out, and
/// leaves the rest of the text alone.
enum ConfigEdit {
  /// Adds a certificate at the end of the list.
  ///
  /// - Throws: `YAMLError` where the config has no place for it.
  static func accept(
    _ certificate: String, for component: TrustComponent, in source: [UInt8]
  ) throws -> [UInt8] {
    var editor = try YAMLEditor(source)
    let (document, parent) = try place(component, in: editor)
    let list = parent + ["acceptedCAs"]
    let isDocument = parent.isEmpty
    let value: YAMLValue =
      isDocument
      ? .string(certificate)
      : .mapping([YAMLValue.Field("crt", .string(Base64.encode(certificate)))])
    if editor.documents[document].node(at: list) == nil {
      try editor.set(.sequence([value]), at: list, document: document)
    } else {
      try editor.append(value, to: list, document: document)
    }
    return editor.bytes
  }

  /// Takes every entry out that holds the certificate with the fingerprint.
  static func drop(
    _ fingerprint: String, for component: TrustComponent, from source: [UInt8]
  ) throws -> [UInt8] {
    var editor = try YAMLEditor(source)
    let (document, parent) = try place(component, in: editor)
    let list = parent + ["acceptedCAs"]
    let items = editor.documents[document].node(at: list)?.items ?? []
    for (index, item) in items.enumerated().reversed() {
      let text = parent.isEmpty ? item.text : item["crt"]?.text.flatMap { Base64.text(behind: $0) }
      let found = TrustPool.certificates([text ?? ""]).map(\.fingerprint)
      guard found.contains(fingerprint) else { continue }
      try editor.remove(at: list + [.index(index)], document: document)
    }
    return editor.bytes
  }

  /// The document that holds the list, and the way to the mapping around it.
  private static func place(
    _ component: TrustComponent, in editor: YAMLEditor
  ) throws(YAMLError) -> (document: Int, parent: [YAMLPathElement]) {
    if component == .kubernetes,
      let index = editor.documents.firstIndex(where: {
        $0["kind"]?.text == "KubeAPIServerCAConfig"
      })
    {
      return (index, [])
    }
    let key = component == .talos ? "machine" : "cluster"
    guard let index = editor.documents.firstIndex(where: { $0["kind"] == nil && $0[key] != nil })
    else { throw YAMLError(.invalidPath, "the config has no place for this CA") }
    return (index, [.key(key)])
  }
}
