import Crypto
import YAML

/// Reads the file of targets: YAML, with `source` and `targets`.
public struct NotificationFile {
  /// How the file reads other files, and what its times are written like.
  public struct Reading {
    /// Reads a secret; the path as it is used.
    public var secret: (String) throws -> [UInt8]
    /// Reads any other file.
    public var file: (String) throws -> [UInt8]
    /// The duration that a text says; nil for one that says none.
    public var duration: (String) -> Duration?

    public init(
      secret: @escaping (String) throws -> [UInt8], file: @escaping (String) throws -> [UInt8],
      duration: @escaping (String) -> Duration?
    ) {
      self.secret = secret
      self.file = file
      self.duration = duration
    }
  }

  private let path: String
  private let reading: Reading

  /// - Parameter path: of the file, for messages; paths in it begin where it lies.
  public init(path: String, reading: Reading) {
    self.path = path
    self.reading = reading
  }

  public static let sizeLimit = 64 * 1024
  private static let keys = ["source", "targets"]
  private static let targetKeys = [
    "name", "url", "secret-file", "ca-file", "events", "clusters", "wait-longer-than", "proxy",
  ]
  private static let patience = Duration.seconds(1)...Duration.seconds(30 * 86_400)

  /// - Throws: the first thing that is wrong, with file and line.
  public func settings(_ bytes: [UInt8]) throws(NotificationError) -> NotificationSettings {
    let documents: [YAMLNode]
    do throws(YAMLError) {
      documents = try YAMLParser.parse(
        bytes,
        limits: YAMLLimits(
          maximumBytes: Self.sizeLimit, maximumDepth: 8, maximumNodes: 10_000))
    } catch {
      throw NotificationError("\(path): \(error)")
    }
    guard documents.count == 1, let root = documents.first else {
      throw NotificationError("\(path): one YAML document is expected, with 'targets:'")
    }
    let entries = try mapping(root, Self.keys, "with 'targets:'")
    var settings = NotificationSettings()
    if let node = entries["source"] { settings.source = try source(node) }
    guard let list = entries["targets"], let items = list.items, !items.isEmpty else {
      throw wrong(entries["targets"] ?? root, "'targets' is expected, a list of targets")
    }
    guard items.count <= NotificationSettings.targetLimit else {
      throw wrong(list, "there are at most \(NotificationSettings.targetLimit) targets")
    }
    for item in items {
      let target = try target(item)
      guard !settings.targets.contains(where: { $0.name == target.name }) else {
        throw wrong(item, "there is a target '\(target.name)' already")
      }
      settings.targets.append(target)
    }
    return settings
  }

  private func target(_ node: YAMLNode) throws(NotificationError) -> TargetSettings {
    let entries = try mapping(node, Self.targetKeys, "of a target's settings")
    func required(_ key: String) throws(NotificationError) -> YAMLNode {
      guard let value = entries[key] else { throw wrong(node, "a target needs '\(key)'") }
      return value
    }
    let name = try name(try required("name"))
    let url = try url(try required("url"))
    let secretNode = try required("secret-file")
    let secretPath = resolved(try text(secretNode))
    var target: TargetSettings
    do {
      target = TargetSettings(
        name: name, url: url, secret: try WebhookSecret.read(try reading.secret(secretPath)))
    } catch {
      throw wrong(secretNode, "secret-file: \(secretPath): \(Self.reason(error))")
    }
    if let value = entries["ca-file"] {
      let file = resolved(try text(value))
      do {
        let pem = String(decoding: try reading.file(file), as: UTF8.self)
        guard try !Certificate.bundle(pem: pem).isEmpty else {
          throw NotificationError("no certificate is in it")
        }
      } catch {
        throw wrong(value, "ca-file: \(file): \(Self.reason(error))")
      }
      target.authorityFile = file
    }
    if let value = entries["events"] { target.types = try types(value) }
    if let value = entries["clusters"] {
      target.clusters = Set(try texts(value, "of names of clusters"))
    }
    if let value = entries["wait-longer-than"] {
      let text = try text(value)
      guard let time = reading.duration(text), Self.patience.contains(time) else {
        throw wrong(value, "wait-longer-than: '\(text)' is not a time such as 90s, 5m or 1h")
      }
      target.patience = time
    }
    if let value = entries["proxy"] {
      let text = try text(value)
      guard let parts = WebAddress(text), ["http", "https"].contains(parts.scheme),
        !parts.hasCredentials
      else { throw wrong(value, "proxy: it is not written http://HOST:PORT, without a user") }
      target.proxy = text
    }
    return target
  }

  // MARK: - Values

  private func name(_ node: YAMLNode) throws(NotificationError) -> String {
    let text = try text(node)
    let isName =
      (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
      } && !text.hasPrefix("-")
    guard isName else {
      throw wrong(node, "name: '\(text)' is not of 1 to 63 lower-case letters, digits and '-'")
    }
    return text
  }

  private func url(_ node: YAMLNode) throws(NotificationError) -> String {
    let text = try text(node)
    guard text.utf8.count <= 2048, let address = WebAddress(text) else {
      throw wrong(node, "url: it is not written https://HOST/PATH")
    }
    guard !address.hasCredentials else {
      throw wrong(node, "url: it holds a password or a user; omnid signs what it sends instead")
    }
    guard address.scheme == "https" || (address.scheme == "http" && address.isLoopback) else {
      throw wrong(
        node, "url: it is not encrypted: only https: is, and http: to this machine will do")
    }
    return text
  }

  private func source(_ node: YAMLNode) throws(NotificationError) -> String {
    let text = try text(node)
    let isURI =
      text.utf8.count <= 256 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
      && text.contains(":") && text.utf8.allSatisfy { $0 != 0x22 && $0 != 0x5c }
    guard isURI else {
      throw wrong(node, "source: '\(text)' is no URI such as https://omnid.example.org")
    }
    return text
  }

  private func types(_ node: YAMLNode) throws(NotificationError) -> Set<EventType> {
    var types: Set<EventType> = []
    for text in try texts(node, "of kinds of events") {
      let short =
        text.hasPrefix(EventType.prefix) ? String(text.dropFirst(EventType.prefix.count)) : text
      let group = short.hasSuffix(".*") ? String(short.dropLast()) : nil
      let matching = EventType.allCases.filter {
        $0.rawValue == short || (group.map($0.rawValue.hasPrefix) ?? false)
      }
      guard !matching.isEmpty else {
        let all = EventType.allCases.map(\.rawValue).joined(separator: ", ")
        throw wrong(node, "events: there is no '\(text)'; there are \(all)")
      }
      types.formUnion(matching)
    }
    return types
  }

  private func text(_ node: YAMLNode) throws(NotificationError) -> String {
    guard let text = node.scalar?.text, !node.isNull, !text.isEmpty, !text.utf8.contains(0) else {
      throw wrong(node, "a text is expected")
    }
    return text
  }

  private func texts(_ node: YAMLNode, _ what: String) throws(NotificationError) -> [String] {
    guard let items = node.items, !items.isEmpty else {
      throw wrong(node, "a list \(what) is expected")
    }
    var texts: [String] = []
    for item in items { texts.append(try text(item)) }
    return texts
  }

  private func mapping(
    _ node: YAMLNode, _ keys: [String], _ what: String
  ) throws(NotificationError) -> [String: YAMLNode] {
    guard let entries = node.entries else { throw wrong(node, "a mapping is expected, \(what)") }
    var values: [String: YAMLNode] = [:]
    for entry in entries {
      guard keys.contains(entry.name) else {
        throw wrong(
          entry.key,
          "there is no setting '\(entry.name)'; there are \(keys.joined(separator: ", "))")
      }
      guard values.updateValue(entry.value, forKey: entry.name) == nil else {
        throw wrong(entry.key, "'\(entry.name)' is given more than once")
      }
    }
    return values
  }

  private func resolved(_ file: String) -> String {
    guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
    return path[...slash] + file
  }

  private func wrong(_ node: YAMLNode, _ reason: String) -> NotificationError {
    NotificationError("\(path):\(node.line): \(reason)")
  }

  private static func reason(_ error: any Error) -> String {
    (error as? NotificationError)?.message ?? (error as? CryptoError)?.message ?? "\(error)"
  }
}
