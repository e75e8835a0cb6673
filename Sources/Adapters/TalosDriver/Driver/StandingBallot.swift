import Orchestrator

/// What the control planes of a cluster say of its record, taken together.
///
/// One of them says little: it may have been set up anew, be given an old configuration again, or be answered for by
/// somebody else. So more than half decide, and while a rotation runs, in which somebody may have edited one, all.
struct StandingBallot: Sendable {
  enum Answer: Sendable, Equatable {
    /// The control plane lives by the record.
    case current
    /// Its configuration, read over a connection that both sides trust, says otherwise.
    case shown(ClusterStanding)
    /// It has a certificate of another authority, which is all that is known of it.
    case stranger(ClusterStanding)
    /// It could not be asked, for this reason.
    case silent(String)
  }

  /// How many are asked.
  let planes: Int
  /// Whether a rotation is under way.
  let isRotating: Bool
  private var current = 0
  private var strangers: [ClusterStanding] = []
  private var shown: [ClusterStanding] = []
  private var silence: [String] = []

  init(planes: Int, isRotating: Bool) {
    self.planes = planes
    self.isRotating = isRotating
  }

  mutating func add(_ answer: Answer) {
    switch answer {
    case .current: current += 1
    case .shown(let standing): shown.append(standing)
    case .stranger(let standing): strangers.append(standing)
    case .silent(let reason): silence.append(reason)
    }
  }

  /// What no further answer can change; nil while one can.
  var decision: ClusterStanding? {
    if isRotating { return current > 0 ? .current : nil }
    if current * 2 > planes { return .current }
    return faults * 2 > planes ? fault : nil
  }

  /// What is to be said when there are no more answers.
  ///
  /// - Parameter late: why those have not answered that are missing.
  func result(late: String) -> ClusterStanding {
    if let decision { return decision }
    let reason = silence.last ?? late
    guard !isRotating else {
      return current + faults == planes ? fault ?? .unknown(reason) : .unknown(reason)
    }
    guard faults > current else { return current > 0 ? .current : .unknown(reason) }
    // Strangers alone, and fewer than half: the others may be as the record has them.
    return shown.isEmpty ? .unknown(reason) : fault ?? .unknown(reason)
  }

  private var faults: Int { shown.count + strangers.count }

  /// The fault that says most: an authority that is not the rotation's says more than how far the machines are.
  private var fault: ClusterStanding? {
    let all = shown + strangers
    return all.first { if case .outdated = $0 { true } else { false } } ?? all.first
  }
}
