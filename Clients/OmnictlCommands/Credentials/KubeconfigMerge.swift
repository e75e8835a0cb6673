internal import YAML

/// kubectl's file: clusters, users and contexts in lists, each item with its name, and which context
/// is the current one.
enum KubeconfigMerge: ConfigMerge {
  static let name = "kubeconfig"

  private static let lists = ["clusters", "users", "contexts"]

  static func check(_ root: YAMLNode) throws(MergedConfig.Failure) {
    if root["context"] != nil || root["contexts"]?.entries != nil {
      throw MergedConfig.Failure(reason: "it is a talosconfig, no kubeconfig")
    }
    for key in lists {
      guard let list = root[key], !list.isNull else { continue }
      guard let items = list.items, items.allSatisfy({ $0["name"]?.text != nil }) else {
        throw MergedConfig.Failure(reason: "it is no kubeconfig: its \(key) are no list of names")
      }
      // kubectl refuses such a file.
      guard Set(items.compactMap { $0["name"]?.text }).count == items.count else {
        throw MergedConfig.Failure(reason: "it has two \(key) of the same name")
      }
    }
  }

  static func current(_ root: YAMLNode) -> String? { root["current-context"]?.text }

  static func contexts(_ root: YAMLNode) -> [String] { names(root, "contexts") }

  static func put(
    _ fresh: YAMLNode, into editor: inout YAMLEditor
  ) throws(YAMLError) -> [String] {
    var replaced: [String] = []
    for key in lists {
      for item in fresh[key]?.items ?? [] {
        let name = item["name"]?.text ?? ""
        let root = editor.documents[0]
        if let index = names(root, key).firstIndex(of: name) {
          try editor.set(YAMLValue(item), at: [.key(key), .index(index)])
          replaced.append("\(key.dropLast()) \(name)")
        } else if root[key] == nil || root[key]?.items?.isEmpty == true {
          try editor.set(.sequence([YAMLValue(item)]), at: [.key(key)])
        } else {
          try editor.append(YAMLValue(item), to: [.key(key)])
        }
      }
    }
    // What kubectl asks of every file.
    for key in ["apiVersion", "kind"] where editor.documents[0][key] == nil {
      if let value = fresh[key]?.text { try editor.set(.string(value), at: [.key(key)]) }
    }
    if let current = current(fresh) { try editor.set(.string(current), at: ["current-context"]) }
    return replaced
  }

  private static func names(_ root: YAMLNode, _ key: String) -> [String] {
    root[key]?.items?.map { $0["name"]?.text ?? "" } ?? []
  }
}
