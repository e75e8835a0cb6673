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

  /// Nil for what is no version, as of a development build without a tag.
  init?(tag: String) {
    let text = tag.hasPrefix("v") ? tag.dropFirst() : tag[...]
    let core = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let numbers = core.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 3, let major = numbers[0], let minor = numbers[1],
      let patch = numbers[2]
    else { return nil }
    self.init(
      major: major, minor: minor, patch: patch, suffix: String(text.dropFirst(core.count)))
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
