internal import YAML

/// What Talos asks of the labels of a Kubernetes node.
enum NodeLabels {
  /// Every name and value that is not good, in the order of names.
  static func problems(_ labels: YAMLNode?) -> [String] {
    (labels?.entries ?? []).sorted { $0.name < $1.name }.flatMap { entry in
      [name(entry.name), value(entry.value.text ?? "")].compactMap { $0 }
    }
  }

  private static func name(_ text: String) -> String? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let name = parts.last else {
      return "invalid format: too many slashes: \"\(text)\""
    }
    if parts.count == 2 {
      if parts[0].isEmpty { return "prefix cannot be empty: \"\(text)\"" }
      if !isSubdomain(parts[0]) {
        return "prefix \"\(parts[0])\" is invalid: domain doesn't match required format: "
          + "\"\(parts[0])\""
      }
    }
    if name.isEmpty { return "name cannot be empty: \"\(text)\"" }
    if name.utf8.count > 63 { return "name is too long: \"\(text)\" (limit is 63)" }
    return isQualified(name) ? nil : "name \"\(name)\" is invalid"
  }

  private static func value(_ text: String) -> String? {
    if text.utf8.count > 63 { return "label value length exceeds limit of 63: \"\(text)\"" }
    return text.isEmpty || isQualified(text) ? nil : "label value \"\(text)\" is invalid"
  }

  /// Letters and digits, with `-`, `_` and `.` between them.
  private static func isQualified(_ text: String) -> Bool {
    guard let first = text.first, let last = text.last, isPlain(first), isPlain(last) else {
      return false
    }
    return text.allSatisfy { isPlain($0) || $0 == "-" || $0 == "_" || $0 == "." }
  }

  private static func isSubdomain(_ text: String) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.first, let last = label.last, first != "-", last != "-" else {
        return false
      }
      return label.allSatisfy { (isPlain($0) && !$0.isUppercase) || $0 == "-" }
    }
  }

  private static func isPlain(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber)
  }
}
