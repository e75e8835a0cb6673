/// Reads a stream of YAML documents into trees that know where in the text every node stands.
///
/// Reads UTF-8 with or without a byte order mark, UTF-16 with one (ranges are then those of the same
/// text in UTF-8), any line ending; and what libyaml refuses and Talos reads (see ``StandIn``). Refuses what is not YAML, duplicate
/// keys, collections as keys, aliases to nothing or to a node that holds them, and whatever exceeds
/// the limits; a small text cannot cost much time or memory.
public enum YAMLParser {
  /// The root of each document, in order. A text without any document gives none.
  public static func parse(
    _ bytes: [UInt8], limits: YAMLLimits = .default
  ) throws(YAMLError) -> [YAMLNode] {
    guard bytes.count <= limits.maximumBytes else {
      throw YAMLError(
        .limitExceeded, "the text has \(bytes.count) bytes; at most \(limits.maximumBytes) are read"
      )
    }
    let source = try YAMLEncoding(of: bytes).decoded(bytes)
    return try parse(source: source, limits: limits)
  }

  /// Reads a text that is UTF-8.
  static func parse(source: [UInt8], limits: YAMLLimits) throws(YAMLError) -> [YAMLNode] {
    let map = SourceMap(source)
    var text = source
    var standIn: StandIn?
    var names: AnchorNames?
    // Each round but the last replaces one name, of which there is a limit, or the text once.
    while true {
      switch try parse(text, map, standIn, names, limits) {
      case .read(let documents): return documents
      case .refused(let error, let token):
        var replaced = names ?? AnchorNames(text)
        if let token, replaced.replaceName(at: token) {
          text = replaced.bytes
          names = replaced
        } else if standIn == nil, let other = StandIn(for: text) {
          standIn = other
          text = other.bytes
          names = names?.moved(to: text)
        } else if let token, AnchorNames.isIndicator(text[token]) {
          throw YAMLError(
            .syntax,
            "this name of an anchor (&) or alias (*) is not read: rename it to letters, digits, - and _; "
              + "if it is to be a text, put it in double quotes",
            line: error.line, column: error.column)
        } else {
          throw error
        }
      }
    }
  }

  private enum Reading {
    case read([YAMLNode])
    /// A token that begins at a byte of the text is none that libyaml knows.
    case refused(YAMLError, token: Int?)
  }

  /// - Throws: what no other spelling would mend.
  private static func parse(
    _ bytes: [UInt8], _ map: SourceMap, _ standIn: StandIn?, _ names: AnchorNames?,
    _ limits: YAMLLimits
  ) throws(YAMLError) -> Reading {
    try EventParser.withEvents(of: bytes, map: map) { parser throws(YAMLError) in
      var builder = TreeBuilder(limits: limits, standIn: standIn, names: names)
      do throws(YAMLError) {
        return .read(try builder.build(from: parser))
      } catch {
        guard error.code == .syntax else { throw error }
        let token = parser.refusedToken
        return .refused(error, token: token.flatMap { bytes.indices.contains($0) ? $0 : nil })
      }
    }
  }

  public static func parse(
    _ text: String, limits: YAMLLimits = .default
  ) throws(YAMLError) -> [YAMLNode] {
    try parse(Array(text.utf8), limits: limits)
  }
}

/// Builds trees out of events, with an explicit stack: depth costs no call stack.
private struct TreeBuilder {
  private struct Open {
    var event: YAMLEvent
    var isMapping: Bool
    var isFlow: Bool
    var items: [YAMLNode] = []
    var entries: [YAMLNode.Entry] = []
    var names: Set<String> = []
    var pendingKey: YAMLNode?
    var weight = 1
  }

  let limits: YAMLLimits
  private let standIn: StandIn?
  private let names: AnchorNames?
  private var stack: [Open] = []
  private var anchors: [String: YAMLNode] = [:]
  private var documents: [YAMLNode] = []
  private var weight = 0

  init(limits: YAMLLimits, standIn: StandIn?, names: AnchorNames?) {
    (self.limits, self.standIn, self.names) = (limits, standIn, names)
  }

  mutating func build(from parser: borrowing EventParser) throws(YAMLError) -> [YAMLNode] {
    while true {
      var event = try parser.next()
      event.anchor = names.map { $0.original(event.anchor) } ?? event.anchor
      switch event.kind {
      case .streamEnd: return documents
      case .documentStart:
        guard documents.count < limits.maximumDocuments else {
          throw error(.limitExceeded, "more than \(limits.maximumDocuments) documents", event)
        }
        anchors = [:]
      case .documentEnd: break
      case .alias(let written):
        let name = names?.original(written) ?? written
        guard var node = anchors[name] else {
          throw error(.unsupported, "an alias that refers to no finished anchor", event)
        }
        node.isAlias = true
        node.anchor = nil
        node.aliasedAnchor = name
        (node.range, node.line, node.column) = (event.range, event.line, event.column)
        try add(node, event)
      case .scalar(let read):
        let scalar = standIn?.restored(read) ?? read
        try add(node(.scalar(scalar), event, end: event.range.upperBound), event)
      case .sequenceStart(let isFlow): try open(event, isMapping: false, isFlow: isFlow)
      case .mappingStart(let isFlow): try open(event, isMapping: true, isFlow: isFlow)
      case .sequenceEnd, .mappingEnd: try close(event)
      }
    }
  }

  private mutating func open(
    _ event: YAMLEvent, isMapping: Bool, isFlow: Bool
  ) throws(YAMLError) {
    guard stack.count < limits.maximumDepth else {
      throw error(.limitExceeded, "nested deeper than \(limits.maximumDepth)", event)
    }
    if let parent = stack.last, parent.isMapping, parent.pendingKey == nil {
      throw error(.unsupported, "a mapping key that is not a scalar", event)
    }
    // From here on the name means this collection, which is not finished: no alias may use it yet.
    if let anchor = event.anchor { anchors[anchor] = nil }
    stack.append(Open(event: event, isMapping: isMapping, isFlow: isFlow))
  }

  private mutating func close(_ event: YAMLEvent) throws(YAMLError) {
    guard let open = stack.popLast() else { return }
    // A block collection's end mark stands behind the comments that follow it: it ends, for an
    // editor, with its last child.
    let last = open.isMapping ? open.entries.last?.value.range : open.items.last?.range
    let end = open.isFlow ? event.range.upperBound : last?.upperBound ?? open.event.range.upperBound
    var node = node(
      open.isMapping ? .mapping(open.entries) : .sequence(open.items), open.event, end: end)
    node.isFlow = open.isFlow
    node.weight = open.weight
    try add(node, open.event)
  }

  private func node(_ content: YAMLNode.Content, _ event: YAMLEvent, end: Int) -> YAMLNode {
    YAMLNode(
      content: content, tag: event.tag, anchor: event.anchor,
      range: event.range.lowerBound..<max(event.range.lowerBound, end), line: event.line,
      column: event.column)
  }

  private mutating func add(_ node: YAMLNode, _ event: YAMLEvent) throws(YAMLError) {
    if let anchor = node.anchor { anchors[anchor] = node }
    weight += node.isAlias ? node.weight : 1
    guard weight <= limits.maximumNodes else {
      throw error(.limitExceeded, "more than \(limits.maximumNodes) nodes", event)
    }
    guard let top = stack.indices.last else { return documents.append(node) }
    stack[top].weight += node.weight
    guard stack[top].isMapping else { return stack[top].items.append(node) }
    if let key = stack[top].pendingKey {
      stack[top].pendingKey = nil
      stack[top].entries.append(YAMLNode.Entry(key: key, value: node))
      return
    }
    guard let scalar = node.scalar else {
      throw error(.unsupported, "a mapping key that is not a scalar", event)
    }
    guard stack[top].names.insert(scalar.text).inserted else {
      throw error(.duplicateKey, "a mapping holds the same key twice", event)
    }
    stack[top].pendingKey = node
  }

  private func error(_ code: YAMLError.Code, _ message: String, _ event: YAMLEvent) -> YAMLError {
    YAMLError(code, message, line: event.line, column: event.column)
  }
}
