/// A version of Talos, as in the tag `v1.9.5`.
struct TalosVersion: Comparable, CustomStringConvertible {
  var major: Int
  var minor: Int
  var patch: Int
  /// What follows the patch number, as in `-alpha.1`.
  var suffix: String

  /// The oldest Talos that accepts several CAs.
  static let oldestSupported = TalosVersion(major: 1, minor: 7, patch: 0, suffix: "")

  init(major: Int, minor: Int, patch: Int, suffix: String) {
    (self.major, self.minor, self.patch, self.suffix) = (major, minor, patch, suffix)
  }

  /// The longest suffix in bytes; that of a build between two releases has about 30.
  static let suffixLimit = 64

  /// Nil for what is no version, as of a development build without a tag. A suffix is `-` or `+` and then letters, digits,
  /// `.`, `+` and `-` (Semantic Versioning 2.0.0): a tag is what a machine says, and stands in records and messages.
  init?(tag: String) {
    // The numbers fit into 64 bits each.
    guard tag.utf8.count <= 64 + Self.suffixLimit else { return nil }
    let text = tag.hasPrefix("v") ? tag.dropFirst() : tag[...]
    let core = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let numbers = core.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 3, let major = numbers[0], let minor = numbers[1],
      let patch = numbers[2], Self.isSuffix(text[core.endIndex...])
    else { return nil }
    self.init(major: major, minor: minor, patch: patch, suffix: String(text[core.endIndex...]))
  }

  private static func isSuffix(_ text: Substring) -> Bool {
    guard let first = text.utf8.first else { return true }
    guard first == UInt8(ascii: "-") || first == UInt8(ascii: "+"),
      text.utf8.count <= suffixLimit
    else { return false }
    return text.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "+"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }

  /// Whether CA rotation is possible: 1.7 and later, its pre-releases included.
  var isSupported: Bool {
    (major, minor) >= (Self.oldestSupported.major, Self.oldestSupported.minor)
  }

  var description: String { "v\(major).\(minor).\(patch)\(suffix)" }

  static func < (a: Self, b: Self) -> Bool {
    (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
  }
}
