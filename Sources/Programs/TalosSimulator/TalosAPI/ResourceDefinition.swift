internal import Schema

/// A resource type as a machine describes it (`ResourceDefinitions.meta.cosi.dev`).
struct ResourceDefinition: Sendable {
  /// A column of `talosctl get` beside those that every type has.
  struct Column: Sendable {
    var name: String
    /// Where in the spec's YAML the value is.
    var path: String
  }

  var type: String
  var namespace: String
  /// Whether only administrators may read it.
  var sensitive = false
  /// The controller that owns resources of the type.
  var owner = ""
  var columns: [Column] = []
  /// The names that the type has beside those that every type gets.
  var extraAliases: [String] = []
  /// Whether the type gets the names that are made from its own.
  var hasDerivedAliases = true
  /// The type's specs in YAML; nil for a type that talosim has no resources of.
  var yaml: (@Sendable ([UInt8]) -> String)?

  func key(_ id: String) -> ResourceStore.Key {
    ResourceStore.Key(namespace: namespace, type: type, id: id)
  }

  /// The definition's own id. Types are looked up in lower case.
  var id: String { type.lowercased() }

  /// What stands before the first dot: the plural of what a resource of the type is.
  var plural: String { String(type.prefix { $0 != "." }) }

  /// What a single resource of the type is called.
  var singular: String {
    let name = plural
    if name.hasSuffix("ies") { return name.dropLast(3) + "y" }
    let longEndings = ["sses", "uses", "shes"]
    return String(name.dropLast(longEndings.contains(where: name.hasSuffix) ? 2 : 1))
  }

  /// What people may call the type: its singular, and its initials where it has several.
  var aliases: [String] {
    guard hasDerivedAliases else { return extraAliases }
    let initials = plural.filter(\.isUppercase)
    var names = extraAliases + [singular.lowercased()]
    if initials.count > 1 {
      names.append(initials.lowercased())
      if !initials.hasSuffix("S") { names.append(initials.lowercased() + "s") }
    }
    return names
  }

  /// Everything that is understood: the plural with more and more of what follows it, and the aliases.
  var allAliases: [String] {
    guard hasDerivedAliases else { return aliases }
    let parts = type.split(separator: ".").map(String.init)
    let plurals = (1..<parts.count).map { count in
      ([plural.lowercased()] + parts[1..<count]).joined(separator: ".")
    }
    return plurals + aliases
  }

  var spec: Cosi.ResourceDefinitionSpec {
    var spec = Cosi.ResourceDefinitionSpec()
    spec.resourceType = type
    spec.displayType = singular
    spec.defaultNamespace = namespace
    spec.aliases = aliases
    spec.allAliases = allAliases
    spec.printColumns = columns.map { column in
      var shown = Cosi.ResourceDefinitionSpec.PrintColumn()
      shown.name = column.name
      shown.jsonPath = column.path
      return shown
    }
    spec.sensitivity = sensitive ? .sensitive : .nonSensitive
    return spec
  }
}
