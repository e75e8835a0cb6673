/// Findings of the same type that say the same of several machines.
struct FindingGroup: Equatable {
  let type: String
  /// Whom the finding is about, without the cluster as a whole.
  private(set) var subjects: [String]
  /// What is said of each of them, without its name.
  let reason: String

  /// `FOREIGN_CA: cp-1, cp-2: accepts CA 5658…`.
  var text: String {
    var parts = type.isEmpty ? [] : [type]
    if !subjects.isEmpty { parts.append(subjects.joined(separator: ", ")) }
    return (parts + [reason]).joined(separator: ": ")
  }

  /// In the order in which each first comes, those of one type together.
  static func groups(_ findings: [CommandError.Finding]) -> [FindingGroup] {
    var groups: [FindingGroup] = []
    for finding in findings {
      let (subject, reason) = NamedReason.split(finding.description, name: finding.machine)
      let same = groups.firstIndex { $0.type == finding.type && $0.reason == reason }
      if let same {
        if let subject, !groups[same].subjects.contains(subject) {
          groups[same].subjects.append(subject)
        }
        continue
      }
      let group = FindingGroup(
        type: finding.type, subjects: subject.map { [$0] } ?? [], reason: reason)
      let behind = groups.lastIndex { $0.type == finding.type }.map { $0 + 1 }
      groups.insert(group, at: behind ?? groups.endIndex)
    }
    return groups
  }
}

/// A reason with the machine that it is about: `cp-1: connection refused`.
enum NamedReason {
  /// The name before the first colon, and what stands behind it.
  ///
  /// - Parameter name: whom the reason is about, where that is known. A reason that speaks of it
  ///   elsewhere than at its beginning keeps its words, and the name is not set before it again.
  static func split(_ text: String, name: String? = nil) -> (name: String?, reason: String) {
    if let colon = text.firstRange(of: ": "), isName(text[..<colon.lowerBound]) {
      return (String(text[..<colon.lowerBound]), String(text[colon.upperBound...]))
    }
    guard let name, !name.isEmpty, !text.contains(name) else { return (nil, text) }
    return (name, text)
  }

  /// Whether it can be a machine's name: a DNS name of the kind that Kubernetes nodes have.
  private static func isName(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
