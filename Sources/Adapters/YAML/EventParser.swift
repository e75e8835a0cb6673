internal import CYAML

/// One parse event with its place in the source.
struct YAMLEvent {
  enum Kind {
    case documentStart
    case documentEnd
    case alias(String)
    case scalar(YAMLScalar)
    case sequenceStart(isFlow: Bool)
    case sequenceEnd
    case mappingStart(isFlow: Bool)
    case mappingEnd
    case streamEnd
  }

  var kind: Kind
  var tag: String?
  var anchor: String?
  var range: Range<Int>
  var line: Int
  var column: Int
}

/// libyaml's parser over one text: events out, one at a time.
///
/// Owns the C parser and frees it; the text must outlive it, so it only lives inside
/// ``withEvents(of:map:_:)``.
@safe struct EventParser: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let map: SourceMap
  /// What libyaml reads: the source, or what stands in for it.
  private let input: SourceMap

  private init(
    input: UnsafeBufferPointer<UInt8>, _ text: SourceMap, map: SourceMap
  ) throws(YAMLError) {
    unsafe parser = .allocate(capacity: 1)
    (self.map, self.input) = (map, text)
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.deallocate()
      throw YAMLError(.limitExceeded, "no memory for a YAML parser")
    }
    unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
  }

  /// Parses a text, handing the event source to a closure.
  ///
  /// - Parameter map: the places in the source, which has as many characters as the text.
  static func withEvents<Result>(
    of bytes: [UInt8], map: SourceMap,
    _ body: (borrowing EventParser) throws(YAMLError) -> Result
  ) throws(YAMLError) -> Result {
    // An empty array may have no base address, which libyaml asserts on.
    guard !bytes.isEmpty else { return try withEvents(of: [0x0A], map: map, body) }
    return try unsafe bytes.withUnsafeBufferPointer { buffer throws(YAMLError) in
      try body(unsafe EventParser(input: buffer, SourceMap(bytes), map: map))
    }
  }

  /// The next event. After `.streamEnd` there is none: do not ask again.
  func next() throws(YAMLError) -> YAMLEvent {
    while true {
      var event = unsafe yaml_event_t()
      guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
      defer { unsafe yaml_event_delete(&event) }
      if let event = try unsafe translate(event) { return event }
    }
  }

  private func translate(_ event: yaml_event_t) throws(YAMLError) -> YAMLEvent? {
    let kind: YAMLEvent.Kind
    var tag: String?
    var anchor: String?
    switch unsafe event.type {
    case YAML_DOCUMENT_START_EVENT: kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
    case YAML_ALIAS_EVENT: kind = unsafe .alias(string(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let data = unsafe event.data.scalar
      let bytes = unsafe UnsafeBufferPointer(start: data.value, count: data.length)
      // libyaml has checked the encoding of what it read; escapes it decodes itself.
      let text = unsafe String(decoding: bytes, as: UTF8.self)
      kind = unsafe .scalar(YAMLScalar(text: text, style: style(data.style)))
      tag = unsafe string(data.tag)
      anchor = unsafe string(data.anchor)
    case YAML_SEQUENCE_START_EVENT:
      let data = unsafe event.data.sequence_start
      kind = unsafe .sequenceStart(isFlow: data.style == YAML_FLOW_SEQUENCE_STYLE)
      tag = unsafe string(data.tag)
      anchor = unsafe string(data.anchor)
    case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      let data = unsafe event.data.mapping_start
      kind = unsafe .mappingStart(isFlow: data.style == YAML_FLOW_MAPPING_STYLE)
      tag = unsafe string(data.tag)
      anchor = unsafe string(data.anchor)
    case YAML_MAPPING_END_EVENT: kind = .mappingEnd
    case YAML_STREAM_END_EVENT, YAML_NO_EVENT: kind = .streamEnd
    default: return nil
    }
    let start = unsafe event.start_mark
    let lower = map.byteOffset(ofCharacter: start.index)
    let upper = unsafe map.byteOffset(ofCharacter: event.end_mark.index)
    return YAMLEvent(
      kind: kind, tag: tag, anchor: anchor, range: lower..<max(lower, upper),
      line: start.line + 1, column: start.column + 1)
  }

  private func style(_ style: yaml_scalar_style_t) -> YAMLScalar.Style {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }

  private func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    unsafe pointer.map { unsafe String(cString: $0) }
  }

  /// The byte in the text at which the token began that libyaml could not read, where it was reading one.
  var refusedToken: Int? {
    let error = unsafe parser.pointee.error
    guard error == YAML_SCANNER_ERROR else { return nil }
    return unsafe input.byteOffset(ofCharacter: Int(parser.pointee.context_mark.index))
  }

  /// libyaml's own account of what is wrong. Its texts are fixed and quote nothing of the input.
  private func failure() -> YAMLError {
    let problem =
      unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not readable as YAML"
    switch unsafe parser.pointee.error {
    case YAML_MEMORY_ERROR:
      return YAMLError(.limitExceeded, "no memory to read the YAML text")
    case YAML_READER_ERROR:
      let place = unsafe input.position(ofByte: parser.pointee.problem_offset)
      return YAMLError(.syntax, problem, line: place.line, column: place.column)
    default:
      let mark = unsafe parser.pointee.problem_mark
      return YAMLError(.syntax, problem, line: mark.line + 1, column: mark.column + 1)
    }
  }
}
