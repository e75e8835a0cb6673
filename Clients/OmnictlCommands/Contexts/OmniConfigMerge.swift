internal import YAML

/// omnictl's own file: contexts by name, and which is the current one.
enum OmniConfigMerge: ConfigMerge {
  static let name = "omnictl configuration"

  static func check(_ root: YAMLNode) throws(MergedConfig.Failure) {
    if root["clusters"] != nil || root["current-context"] != nil {
      throw MergedConfig.Failure(reason: "it is a kubeconfig, no \(name)")
    }
    guard let contexts = root["contexts"], !contexts.isNull else { return }
    guard let entries = contexts.entries else {
      throw MergedConfig.Failure(reason: "it is no \(name): its contexts are no mapping")
    }
    // A talosconfig has the same form, and lists of endpoints.
    if entries.contains(where: { $0.value["endpoints"] != nil }) {
      throw MergedConfig.Failure(reason: "it is a talosconfig, no \(name)")
    }
  }

  static func current(_ root: YAMLNode) -> String? { root["context"]?.text }

  static func contexts(_ root: YAMLNode) -> [String] {
    root["contexts"]?.entries?.map(\.name) ?? []
  }

  static func put(
    _ fresh: YAMLNode, into editor: inout YAMLEditor
  ) throws(YAMLError) -> [String] {
    try TalosconfigMerge.put(fresh, into: &editor)
  }
}
