/// What an edit means, on trees: used to check the splices.
extension YAMLNode {
  var childCount: Int { items?.count ?? entries?.count ?? 0 }

  mutating func update(
    _ path: ArraySlice<YAMLPathElement>, _ change: (inout YAMLNode) -> Void
  ) {
    guard let step = path.first else { return change(&self) }
    switch (content, step) {
    case (.mapping(var entries), .key(let name)):
      guard let index = entries.firstIndex(where: { $0.name == name }) else { return }
      entries[index].value.update(path.dropFirst(), change)
      content = .mapping(entries)
    case (.sequence(var items), .index(let index)) where items.indices.contains(index):
      items[index].update(path.dropFirst(), change)
      content = .sequence(items)
    default: return
    }
  }

  mutating func insert(_ field: YAMLValue.Field, after index: Int) {
    guard case .mapping(var entries) = content else { return }
    let entry = Entry(key: YAMLValue.string(field.key).node, value: field.value.node)
    entries.insert(entry, at: index + 1)
    content = .mapping(entries)
  }

  mutating func appendItem(_ value: YAMLValue) {
    guard case .sequence(var items) = content else { return }
    items.append(value.node)
    content = .sequence(items)
  }

  mutating func removeChild(at index: Int) {
    switch content {
    case .sequence(var items):
      items.remove(at: index)
      content = .sequence(items)
    case .mapping(var entries):
      entries.remove(at: index)
      content = .mapping(entries)
    case .scalar: return
    }
  }

  /// The way to the last scalar (or flow collection, or alias) of a block node.
  var lastPath: [YAMLPathElement] {
    var path: [YAMLPathElement] = []
    var node = self
    while !node.isAlias, !node.isFlow {
      if let entry = node.entries?.last {
        path.append(.key(entry.name))
        node = entry.value
      } else if let items = node.items, let item = items.last {
        path.append(.index(items.count - 1))
        node = item
      } else {
        break
      }
    }
    return path
  }
}
