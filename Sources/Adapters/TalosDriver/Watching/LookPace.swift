import Rotation

/// How long to rest between two looks at a machine, of which something is waited for. A pure value; times are since the
/// first look.
///
/// Without a watch the looks come after 50 ms, 100 ms, … and at last every `longestLookPause`. With one that is open they
/// come when the machine shows a change, and else after `watchedPause`. However often a machine says that something has
/// changed, it is looked at no more often than without a watch, but for a few times.
struct LookPace {
  private let settings: TalosDriverSettings
  /// When the looks are over.
  private(set) var end: Duration
  /// The pause without a watch.
  private(set) var pause: Duration
  /// The checks that are known to be open to whoever waits for the answer.
  private var told: Set<String>
  /// How many changes are still followed by a look at once.
  private var promptLooks = 8
  /// Whether what is waited for may come any moment, because a change was shown that it follows.
  private var isNear = false

  /// - Parameter told: the checks that were open in the answer before. One in which nothing else was open has been given, so
  ///   the next one may take longer.
  init(_ settings: TalosDriverSettings, told: Set<String>) {
    self.settings = settings
    self.told = told
    pause = settings.firstLookPause
    end = told.isEmpty ? settings.lookWindow : settings.longLookWindow
  }

  /// Whether a look now is the last one, which shows everything.
  func isLast(at now: Duration) -> Bool { now + pause >= end }

  /// Takes in what a look has found open. That something else is open than what was told last is told soon.
  mutating func found(open: [String], at now: Duration) {
    guard !told.isSuperset(of: open) else { return }
    if !told.isEmpty { end = min(end, now + settings.lookWindow) }
    told.formUnion(open)
  }

  /// Whether it is worth it to open a watch: what the first looks find is not waited for long.
  ///
  /// - Parameter hasRead: whether each look reads the machine, or asks something that costs less.
  func isWorthWatching(hasRead: Bool) -> Bool { hasRead || pause >= settings.longestLookPause }

  /// When to look next where nothing happens, by a look that was made at `now`.
  func next(after now: Duration, _ plan: WatchPlan, _ standing: ChangeSignal.Standing) -> Duration {
    guard isWatched(plan, standing) else { return now + pause }
    let latest = max(end - settings.longestLookPause, now + pause)
    return plan.isComplete ? latest : min(now + settings.watchedPause, latest)
  }

  private func isWatched(_ plan: WatchPlan, _ standing: ChangeSignal.Standing) -> Bool {
    standing == .open && !plan.targets.isEmpty && !isNear
  }

  /// The time of a pause is over.
  mutating func rested(_ plan: WatchPlan, _ standing: ChangeSignal.Standing) {
    let longest = settings.longestLookPause
    pause = isWatched(plan, standing) ? longest : min(pause * 2, longest)
    if pause == longest { isNear = false }
  }

  /// When to look because of a change that was shown at `now`, after a look at `last`.
  ///
  /// - Parameter isFollowed: whether what is waited for may come a moment after the change.
  mutating func changed(at now: Duration, last: Duration, isFollowed: Bool) -> Duration {
    guard promptLooks > 0 else { return max(now, last + settings.longestLookPause) }
    promptLooks -= 1
    if isFollowed { (pause, isNear) = (settings.firstLookPause, true) }
    // Several changes come together.
    return max(now + settings.changePause, last + settings.firstLookPause)
  }
}
