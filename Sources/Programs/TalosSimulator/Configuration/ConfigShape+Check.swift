internal import YAML

extension ConfigShape {
  /// What Talos' decoder finds wrong with a document, in its order and words; nil when it takes it.
  func refusal(of document: YAMLNode) -> String? {
    let wrong = mismatches(document)
    if !wrong.isEmpty {
      return "yaml: construct errors:\n"
        + wrong.map { "  line \($0.line): \($0.text)" }
        .joined(separator: "\n")
    }
    return unknown(in: document).map { "unknown keys found during decoding:\n" + $0.document() }
  }

  // MARK: Values of another kind

  private struct Mismatch {
    var line: Int
    var text: String
  }

  private func mismatches(_ node: YAMLNode) -> [Mismatch] {
    if node.isNull { return [] }
    switch self {
    case .any: return []
    case .scalar(let kind):
      guard let complaint = kind.complaint(about: node) else { return [] }
      return [Mismatch(line: node.line, text: complaint)]
    case .list(let item):
      guard let items = node.items else { return [.init(line: node.line, text: node.notA("list"))] }
      return items.flatMap { item.mismatches($0) }
    case .map(let value):
      guard let entries = node.entries else {
        return [.init(line: node.line, text: node.notA("map"))]
      }
      return entries.flatMap { value.mismatches($0.value) }
    case .fields(let fields):
      guard let entries = node.entries else {
        return [.init(line: node.line, text: node.notA("struct"))]
      }
      return entries.flatMap { fields[$0.name]?.mismatches($0.value) ?? [] }
    }
  }

  // MARK: Unknown names

  /// The part of a document whose names are unknown; nil when there is none.
  private func unknown(in node: YAMLNode) -> YAMLValue? {
    switch self {
    case .any, .scalar: return nil
    case .list(let item):
      let found = (node.items ?? []).compactMap { item.unknown(in: $0) }
      return found.isEmpty ? nil : .sequence(found)
    case .map(let value):
      return Self.mapping(node) { _, inner in value.unknown(in: inner) }
    case .fields(let fields):
      return Self.mapping(node) { name, inner in
        if let shape = fields[name] { shape.unknown(in: inner) } else { YAMLValue(inner) }
      }
    }
  }

  private static func mapping(
    _ node: YAMLNode, _ find: (String, YAMLNode) -> YAMLValue?
  ) -> YAMLValue? {
    let found = (node.entries ?? []).compactMap { entry in
      find(entry.name, entry.value).map { YAMLValue.Field(entry.name, $0) }
    }
    return found.isEmpty ? nil : .mapping(found.sorted { $0.key < $1.key })
  }
}

extension ConfigShape.Scalar {
  /// What is wrong with a value of this kind, as go-yaml says it; nil when it can be decoded.
  func complaint(about node: YAMLNode) -> String? {
    guard let scalar = node.scalar else { return node.notA(goName) }
    let isPlain = scalar.style == .plain
    let kind = node.kind
    let isRight =
      switch self {
      case .text: true
      case .bool: kind == .bool || Self.oldBooleans.contains(scalar.text)
      case .int: kind == .integer || kind == .float
      case .uint: (kind == .integer || kind == .float) && !scalar.text.hasPrefix("-")
      case .duration: !(isPlain && kind != .string) && Self.isDuration(scalar.text)
      case .url: true
      }
    if !isRight { return node.notA(goName) }
    guard self == .url else { return nil }
    do throws(GoURL.Refusal) {
      _ = try GoURL(scalar.text)
      return nil
    } catch {
      return "parse \"\(scalar.text)\": \(error.reason)"
    }
  }

  /// What YAML 1.1 takes for a boolean and go-yaml still does where one is asked for.
  private static let oldBooleans: Set = ["y", "Y", "yes", "on", "n", "N", "no", "off"]

  /// The value that Go reads where a boolean is asked for; nil for what is none.
  static func bool(_ node: YAMLNode) -> Bool? {
    guard let text = node.text else { return nil }
    return node.bool ?? (oldBooleans.contains(text) ? ["y", "Y", "yes", "on"].contains(text) : nil)
  }

  private var goName: String {
    switch self {
    case .text, .url: "string"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .duration: "time.Duration"
    }
  }

  /// Whether Go reads the text as a duration.
  static func isDuration(_ text: String) -> Bool {
    var rest = text[...]
    if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
    if rest == "0" { return true }
    if rest.isEmpty { return false }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(number.count)
      let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
      rest = rest.dropFirst(unit.count)
      guard number.contains(where: \.isNumber), number.count(where: { $0 == "." }) <= 1,
        ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].contains(unit)
      else { return false }
    }
    return true
  }
}

extension YAMLNode {
  /// That the node is of another kind than asked for, in go-yaml's words.
  fileprivate func notA(_ type: String) -> String {
    guard let scalar else {
      return "cannot construct !!\(items == nil ? "map" : "seq") into \(type)"
    }
    let name =
      switch kind {
      case .null: "null"
      case .bool: "bool"
      case .integer: "int"
      case .float: "float"
      default: "str"
      }
    let shown = scalar.text.count > 10 ? scalar.text.prefix(7) + "..." : scalar.text[...]
    return "cannot construct !!\(name) `\(shown)` into \(type)"
  }
}

extension YAMLValue {
  /// The value that a node has.
  init(_ node: YAMLNode) {
    switch node.content {
    case .sequence(let items): self = .sequence(items.map(YAMLValue.init))
    case .mapping(let entries):
      self = .mapping(entries.map { Field($0.name, YAMLValue($0.value)) })
    case .scalar(let scalar):
      switch node.kind {
      case .null: self = .null
      case .bool: self = node.bool.map(YAMLValue.bool) ?? .string(scalar.text)
      case .integer: self = Int(scalar.text).map(YAMLValue.integer) ?? .string(scalar.text)
      default: self = .string(scalar.text)
      }
    }
  }
}
