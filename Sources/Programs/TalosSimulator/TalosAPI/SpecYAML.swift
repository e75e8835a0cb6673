internal import ProtoCodec
internal import Schema
internal import YAML

/// A spec that has a form in YAML.
protocol YAMLSpec: Message {
  /// The spec with the field names and in the order of Talos.
  var yaml: YAMLValue { get }
}

/// The YAML of specs, which `talosctl` shows, edits and reads columns from.
enum SpecYAML {
  static func of<Spec: YAMLSpec>(_ type: Spec.Type) -> @Sendable ([UInt8]) -> String {
    { bytes in
      guard let spec = try? Spec(serialized: bytes) else { return "" }
      if case .string(let text) = spec.yaml { return scalar(text) }
      return spec.yaml.document()
    }
  }

  /// A document that is one text. A text of several lines is a literal block whatever its lines
  /// begin with, so that a configuration can be read where it is shown.
  static func scalar(_ text: String) -> String {
    let isPrintable = text.unicodeScalars.allSatisfy {
      $0 == "\n" || $0 == "\t" || (0x20..<0x7F).contains($0.value)
        || ((0xA0..<0xFFFE).contains($0.value)
          && !"\u{2028}\u{2029}\u{FEFF}".unicodeScalars.contains($0))
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count > 1, isPrintable, let first = lines.first, let head = first.first,
      head != " ", head != "\t"
    else { return YAMLValue.string(text).document() }
    let isEnded = text.hasSuffix("\n")
    let chomping = !isEnded ? "-" : text.hasSuffix("\n\n") ? "+" : ""
    let body = isEnded ? lines.dropLast() : lines[...]
    return "|\(chomping)\n" + body.map { ($0.isEmpty ? "" : "    " + $0) + "\n" }.joined()
  }
}

extension Cosi.NamespaceSpec: YAMLSpec {
  var yaml: YAMLValue { ["description": .string(description)] }
}

extension Cosi.ResourceDefinitionSpec: YAMLSpec {
  var yaml: YAMLValue {
    var fields: [YAMLValue.Field] = [
      .init("type", .string(resourceType)), .init("displayType", .string(displayType)),
      .init("defaultNamespace", .string(defaultNamespace)), .init("aliases", .texts(aliases)),
      .init("allAliases", .texts(allAliases)),
      .init(
        "printColumns",
        .sequence(
          printColumns.map { ["name": .string($0.name), "jsonPath": .string($0.jsonPath)] })),
    ]
    if sensitivity == .sensitive { fields.append(.init("sensitivity", "sensitive")) }
    return .mapping(fields)
  }
}

extension Talos.MachineConfigSpec: YAMLSpec {
  /// The configuration is a text within the YAML, not a part of it.
  var yaml: YAMLValue { .string(String(decoding: yamlMarshalled, as: UTF8.self)) }
}

extension Talos.MachineTypeSpec: YAMLSpec {
  var yaml: YAMLValue { .string(machineType.yamlName) }
}

extension Talos.SecretsStatusSpec: YAMLSpec {
  var yaml: YAMLValue { ["ready": .bool(ready), "version": .string(version)] }
}

extension Talos.ServiceSpec: YAMLSpec {
  var yaml: YAMLValue {
    ["running": .bool(running), "healthy": .bool(healthy), "unknown": .bool(unknown)]
  }
}

extension Talos.NodenameSpec: YAMLSpec {
  var yaml: YAMLValue {
    [
      "nodename": .string(nodename), "hostnameVersion": .string(hostnameVersion),
      "skipNodeRegistration": .bool(skipNodeRegistration),
    ]
  }
}

extension Talos.IdentitySpec: YAMLSpec {
  var yaml: YAMLValue { ["nodeId": .string(nodeID)] }
}

extension Talos.MemberSpec: YAMLSpec {
  var yaml: YAMLValue {
    var fields: [YAMLValue.Field] = [
      .init("nodeId", .string(nodeID)), .init("addresses", .texts(addresses.map(\.text))),
      .init("hostname", .string(hostname)), .init("machineType", .string(machineType.yamlName)),
      .init("operatingSystem", .string(operatingSystem)),
    ]
    if let controlPlane {
      fields.append(
        .init("controlPlane", ["port": .integer(Int(controlPlane.apiServerPort))]))
    }
    return .mapping(fields)
  }
}

extension Talos.MachineStatusSpec: YAMLSpec {
  var yaml: YAMLValue {
    let unmet = (status?.unmetConditions ?? []).map { condition -> YAMLValue in
      ["name": .string(condition.name), "reason": .string(condition.reason)]
    }
    let condition: YAMLValue = [
      "ready": .bool(status?.ready ?? false), "unmetConditions": .sequence(unmet),
    ]
    return ["stage": .string(stage.yamlName), "status": condition]
  }
}

extension Talos.TimeStatusSpec: YAMLSpec {
  var yaml: YAMLValue {
    ["synced": .bool(synced), "epoch": .integer(Int(epoch)), "syncDisabled": .bool(syncDisabled)]
  }
}

extension Talos.StaticPodSpec: YAMLSpec {
  var yaml: YAMLValue { pod.map(YAMLValue.init) ?? [:] }
}
