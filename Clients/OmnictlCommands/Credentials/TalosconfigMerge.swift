internal import YAML

/// talosctl's file: contexts by name, and which is the current one.
enum TalosconfigMerge: ConfigMerge {
  static let name = "talosconfig"

  static func check(_ root: YAMLNode) throws(MergedConfig.Failure) {
    if root["clusters"] != nil || root["current-context"] != nil {
      throw MergedConfig.Failure(reason: "it is a kubeconfig, no talosconfig")
    }
    if let contexts = root["contexts"], !contexts.isNull, contexts.entries == nil {
      throw MergedConfig.Failure(reason: "it is no talosconfig: its contexts are no mapping")
    }
  }

  static func current(_ root: YAMLNode) -> String? { root["context"]?.text }

  static func contexts(_ root: YAMLNode) -> [String] {
    root["contexts"]?.entries?.map(\.name) ?? []
  }

  static func put(
    _ fresh: YAMLNode, into editor: inout YAMLEditor
  ) throws(YAMLError) -> [String] {
    let known = contexts(editor.documents[0])
    let entries = fresh["contexts"]?.entries ?? []
    for entry in entries {
      let value = YAMLValue(entry.value)
      if editor.documents[0]["contexts"] == nil {
        try editor.set(.mapping([.init(entry.name, value)]), at: ["contexts"])
      } else {
        try editor.set(value, at: ["contexts", .key(entry.name)])
      }
    }
    if let current = current(fresh) { try editor.set(.string(current), at: ["context"]) }
    return entries.map(\.name).filter(known.contains).map { "context \($0)" }
  }
}
