import YAML

extension SettingValues {
  /// Reads the configuration file: one YAML mapping whose keys are the flags without their dashes.
  ///
  /// - Throws: for what is not YAML, unknown keys and values of a wrong kind; the message names file
  ///   and line.
  static func file(_ bytes: [UInt8], path: String) throws(UsageError) -> SettingValues {
    var wrong: [UsageError] = []
    let values = try file(bytes, path: path, wrong: &wrong)
    if let first = wrong.first { throw first }
    return values
  }

  /// The same, going on after keys that are unknown or have values of a wrong kind.
  ///
  /// - Parameter wrong: gets an error for each of these.
  /// - Throws: when there are no keys to be read.
  static func file(
    _ bytes: [UInt8], path: String, wrong: inout [UsageError]
  ) throws(UsageError) -> SettingValues {
    let documents: [YAMLNode]
    do throws(YAMLError) {
      documents = try YAMLParser.parse(
        bytes, limits: YAMLLimits(maximumBytes: 1 << 20, maximumDepth: 8, maximumNodes: 1000))
    } catch {
      throw UsageError("\(path): \(error)")
    }
    guard documents.count <= 1 else { throw UsageError("\(path): more than one YAML document") }
    var values = SettingValues()
    guard let root = documents.first, !root.isNull else { return values }
    guard let entries = root.entries else {
      throw UsageError("\(path): a mapping of settings is expected, such as 'log-level: debug'")
    }
    for entry in entries {
      do throws(UsageError) {
        let origin = "\(path):\(entry.key.line): \(entry.name)"
        guard let setting = Setting(rawValue: entry.name), setting != .config else {
          throw UsageError("\(origin): there is no such setting")
        }
        try values.set(setting, try texts(of: entry.value, setting, origin), origin: origin)
      } catch { wrong.append(error) }
    }
    return values
  }

  private static func texts(
    of node: YAMLNode, _ setting: Setting, _ origin: String
  ) throws(UsageError) -> [String] {
    if let scalar = node.scalar { return [scalar.text] }
    guard setting.isRepeatable, let items = node.items else {
      throw UsageError("\(origin): a single value is expected")
    }
    var texts: [String] = []
    for item in items {
      guard let scalar = item.scalar else {
        throw UsageError("\(origin): a list of texts is expected")
      }
      texts.append(scalar.text)
    }
    return texts
  }
}
