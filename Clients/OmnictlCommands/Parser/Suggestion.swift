/// What somebody meant who mistyped a name.
enum Suggestion {
  /// The most similar of the names; nil when none is similar.
  static func nearest(to word: String, among names: [String]) -> String? {
    let word = Array(word.lowercased().unicodeScalars)
    guard !word.isEmpty && word.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for name in names {
      let letters = Array(name.unicodeScalars)
      let isBeginning = word.count >= 2 && letters.starts(with: word)
      let distance = isBeginning ? 1 : distance(word, letters)
      let limit = isBeginning ? 1 : min(2, (max(word.count, letters.count) - 1) / 2)
      if distance <= limit && distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
  }

  /// How many letters have to be inserted, removed, replaced or swapped with their neighbour to make
  /// one word of the other (optimal string alignment).
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(last[j + 1], row[j]) + 1
        cost = min(cost, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
          cost = min(cost, before[j - 1] + 1)
        }
        row.append(cost)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}
