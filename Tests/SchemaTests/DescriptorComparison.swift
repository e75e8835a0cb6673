import ProtoCodec
import Schema

extension FileDescriptorProto {
  /// What the two say differently, one line each; empty when they describe the same schema.
  ///
  /// Compared are imports, messages, fields (number, type, label, JSON name, oneof, presence, packing),
  /// map entries, oneofs, enums and services. Not compared are order, comments, reserved ranges and
  /// options that change nothing in what is sent.
  func differences(from other: FileDescriptorProto) -> [String] {
    let ours = facts
    let theirs = other.facts
    return Set(ours.keys).union(theirs.keys).sorted().compactMap { name in
      switch (ours[name], theirs[name]) {
      case (let one?, let two?) where one != two: "\(name): \(one), not \(two)"
      case (.some, nil): "\(name): is not in the other"
      case (nil, .some): "\(name): is only in the other"
      default: nil
      }
    }
  }

  private var facts: [String: String] {
    let package = package ?? ""
    var facts = ["package": package, "syntax": syntax ?? "proto2"]
    for path in dependency { facts["import \(path)"] = "" }
    for message in messageType { message.collect(into: &facts, package) }
    for type in enumType { type.collect(into: &facts, package) }
    for service in service {
      let name = "\(package).\(service.name ?? "")"
      facts["service \(name)"] = ""
      for method in service.method {
        facts["method \(name).\(method.name ?? "")"] = method.summary
      }
    }
    return facts
  }
}

extension DescriptorProto {
  fileprivate func collect(into facts: inout [String: String], _ scope: String) {
    let fullName = "\(scope).\(name ?? "")"
    facts["message \(fullName)"] = options?.mapEntry == true ? "map entry" : "message"
    for field in field {
      let oneof = field.oneofIndex.flatMap { index in
        oneofDecl.indices.contains(Int(index)) ? oneofDecl[Int(index)].name : "out of range"
      }
      facts["field \(fullName).\(field.name ?? "")"] =
        field.summary + (oneof.map { " in \($0)" } ?? "")
    }
    for oneof in oneofDecl { facts["oneof \(fullName).\(oneof.name ?? "")"] = "" }
    for message in nestedType { message.collect(into: &facts, fullName) }
    for type in enumType { type.collect(into: &facts, fullName) }
  }
}

extension FieldDescriptorProto {
  fileprivate var summary: String {
    let number = number.map { "number \($0)" } ?? "no number"
    let label = label?.description ?? "no label"
    let type = type?.description ?? "no type"
    let packed = options?.packed.map { "packed = \($0)" } ?? ""
    let presence = proto3Optional == true ? "optional" : ""
    return [number, label, type, typeName ?? "", "JSON \(jsonName ?? "")", packed, presence]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }
}

extension EnumDescriptorProto {
  fileprivate func collect(into facts: inout [String: String], _ scope: String) {
    let fullName = "\(scope).\(name ?? "")"
    facts["enum \(fullName)"] = options?.allowAlias == true ? "with aliases" : "without aliases"
    for value in value {
      facts["value \(fullName).\(value.name ?? "")"] = value.number.map(String.init) ?? "none"
    }
  }
}

extension MethodDescriptorProto {
  fileprivate var summary: String {
    let input = (clientStreaming == true ? "stream " : "") + (inputType ?? "")
    let output = (serverStreaming == true ? "stream " : "") + (outputType ?? "")
    let idempotency = options?.idempotencyLevel ?? .unknown
    return "\(input) -> \(output) \(idempotency)"
  }
}
