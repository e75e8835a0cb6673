/// Whether a peer takes what is sent to it, from looks at regular times while something waits for the peer.
///
/// Two things can hold answers up: a socket that takes nothing, because the peer does not read, and flow
/// control, because the peer gives no credit (RFC 9113 section 5.2). Each byte that is taken shows a peer that
/// is slow and lives.
///
/// Pure: no clock, no socket. The driver is `ServerConnection`.
struct UnsentWatch: Equatable {
  /// What a look sees.
  struct Sight: Equatable {
    /// Bytes that the peer has taken from the socket since the connection began.
    var taken: Int
    /// Whether bytes wait for the socket.
    var waitsForSocket: Bool
    /// Body bytes that have left their streams since the connection began.
    var sent: Int
  }

  /// After so many looks in a row without progress a peer is given up.
  private let patience: Int
  private var last: Sight
  /// Looks in a row at which the peer had taken nothing from the socket that waits.
  private var untaken = 0
  /// Looks in a row at which no body byte had left.
  private var unsent = 0

  /// - Parameter patience: in looks, 1 at least. A connection that takes no new calls any more has two, so one whole
  ///   time between looks.
  init(patience: Int, seeing sight: Sight) {
    self.patience = max(1, patience)
    last = sight
  }

  /// Another look.
  mutating func look(_ sight: Sight) {
    untaken = sight.waitsForSocket && sight.taken == last.taken ? untaken + 1 : 0
    unsent = sight.sent == last.sent ? unsent + 1 : 0
    last = sight
  }

  /// Whether the peer does not read, so that the connection is to be closed.
  ///
  /// - Parameter isLeaving: the connection takes no new calls, and ends when the peer has what waits.
  func isDeadlocked(isLeaving: Bool) -> Bool { untaken >= looks(isLeaving) }

  /// Whether an answer that is no call's has waited for the peer's credit for too long, with or without progress:
  /// such answers are small, and whoever gets them need not be known.
  ///
  /// - Parameter looks: how often it was seen to wait.
  func isOverdue(page looks: Int, isLeaving: Bool) -> Bool { looks >= self.looks(isLeaving) }

  private func looks(_ isLeaving: Bool) -> Int { isLeaving ? min(2, patience) : patience }

  /// Whether the whole answers of calls have waited for too long. While the connection serves they may wait as long as
  /// their callers like; when it is to end they keep it from ending.
  func callsAreOverdue(isLeaving: Bool) -> Bool { isLeaving && unsent >= patience }
}
