/// The bytes of requests that are kept in memory, by the listener their connections came in at.
///
/// Half of what may be kept is divided among the listeners, as a reserve that no other listener can use up; the rest is
/// whoever's comes first. So a flood of half-sent requests on one listener leaves the others theirs.
///
/// Pure: no lock. The driver is `ConnectionLimit`.
struct RequestMemory {
  private let limit: Int
  private var held: [Int] = []

  init(limit: Int) { self.limit = limit }

  /// Listeners have the numbers 0, 1, 2, … in the order of their coming.
  mutating func addListener() { held.append(0) }

  /// Takes in that a listener's connections keep more, or less with a negative change.
  ///
  /// - Returns: whether the listener may keep as much. What it keeps counts either way.
  mutating func change(_ listener: Int, by change: Int) -> Bool {
    held[listener] += change
    let reserve = limit / (2 * held.count)
    guard held[listener] > reserve else { return true }
    let shared = held.reduce(0) { $0 + max(0, $1 - reserve) }
    return shared <= limit - reserve * held.count
  }
}
