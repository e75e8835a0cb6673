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
    if let conflict = conflict(fresh, editor.documents[0]) {
      throw YAMLError(.unsupported, conflict)
    }
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

  /// Whether a cluster or a user would be replaced by another one that contexts use which stay: they would lead somewhere
  /// else then, or as somebody else. The same one again with a fresh credential, as after a rotation, is none: its cluster
  /// is at the same server, and its users are used with that cluster alone.
  private static func conflict(_ fresh: YAMLNode, _ old: YAMLNode) -> String? {
    let replacedContexts = Set(names(fresh, "contexts"))
    let staying = (old["contexts"]?.items ?? []).filter {
      !replacedContexts.contains($0["name"]?.text ?? "")
    }
    for (list, key) in [("clusters", "cluster"), ("users", "user")] {
      let known = Set(names(old, list))
      for name in names(fresh, list) where known.contains(name) {
        let users = staying.filter { $0["context"]?[key]?.text == name }
        guard !users.isEmpty, !isSame(name, list, fresh, old, users) else { continue }
        let contexts = users.prefix(4).map { $0["name"]?.text ?? "" }.joined(separator: ", ")
        let more = users.count > 4 ? " and \(users.count - 4) more" : ""
        return
          "its \(key) '\(name)' would be replaced, which other contexts there use (\(contexts)\(more)): rename "
          + "it there, or remove these contexts"
      }
    }
    return nil
  }

  private static func isSame(
    _ name: String, _ list: String, _ fresh: YAMLNode, _ old: YAMLNode, _ users: [YAMLNode]
  ) -> Bool {
    func server(_ root: YAMLNode, _ cluster: String) -> String? {
      root["clusters"]?.items?.first { $0["name"]?.text == cluster }?["cluster"]?["server"]?.text
    }
    func isSameCluster(_ cluster: String) -> Bool {
      guard let there = server(old, cluster) else { return false }
      return there == server(fresh, cluster)
    }
    guard list == "users" else { return isSameCluster(name) }
    return users.allSatisfy { $0["context"]?["cluster"]?.text.map(isSameCluster) == true }
  }

  private static func names(_ root: YAMLNode, _ key: String) -> [String] {
    root[key]?.items?.map { $0["name"]?.text ?? "" } ?? []
  }
}
