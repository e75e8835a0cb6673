internal import Schema
internal import Synchronization

/// Shows a rotation on a terminal, redrawn in place with each change and each second.
final class LiveReport: RotationReport, SignalListener {
  private struct State {
    var status: RotationStatus?
    var ages = RotationAges()
    var lost: (reason: String, since: Duration)?
    var isOpen = true
    /// A signal has given the terminal back; the process may go on after it.
    var isLeft = false
    var isCursorHidden = false
    var ticker: Task<Void, Never>?
  }

  private let screen: any Screen
  private let errors: any TextSink
  private let signals: any SignalSource
  private let view: RotationView
  private let painter = FramePainter()
  private let uptime: @Sendable () -> Duration
  private let farewell: String
  // Held while drawing, so that a signal finds the terminal between two frames.
  private let state = Mutex(State())

  /// - Parameter farewell: what to say when the user leaves before the rotation is over.
  init(
    screen: any Screen, errors: any TextSink, signals: any SignalSource,
    uptime: @escaping @Sendable () -> Duration, farewell: String
  ) {
    self.screen = screen
    self.errors = errors
    self.signals = signals
    self.uptime = uptime
    self.farewell = farewell
    view = RotationView(style: screen.style)
    signals.listen(self)
    let ticker = Task { [weak self] in
      while (try? await Task.sleep(for: .seconds(1))) != nil {
        guard let self else { return }
        self.windowChanged()
      }
    }
    state.withLock { $0.ticker = ticker }
  }

  func show(_ status: RotationStatus) {
    change { state, now in
      state.status = status
      state.ages.take(status, at: now)
    }
  }

  func interrupted(_ reason: String) {
    change { state, now in state.lost = (reason, state.lost?.since ?? now) }
  }

  func resumed() { change { state, _ in state.lost = nil } }

  func close() {
    signals.listen(nil)
    state.withLock { state in
      state.ticker?.cancel()
      state.isOpen = false
      giveBack(&state)
    }
  }

  // MARK: SignalListener

  func windowChanged() { change { _, _ in } }

  func leaving(isStop: Bool) {
    state.withLock { state in
      giveBack(&state)
      state.isLeft = true
      if !isStop { errors.write("omnictl: \(Printable.line(farewell))\n") }
    }
  }

  func continued() { change { state, _ in state.isLeft = false } }

  // MARK: Drawing

  private func change(_ body: (inout State, Duration) -> Void) {
    let now = uptime()
    state.withLock { state in
      body(&state, now)
      // In the background the terminal is somebody else's.
      guard state.isOpen, !state.isLeft, screen.isForeground, let lines = lines(state, now) else {
        return
      }
      var frame = painter.frame(lines, hasColor: screen.style.hasColor)
      if !state.isCursorHidden { frame = FramePainter.hideCursor + frame }
      state.isCursorHidden = true
      screen.write(frame)
    }
  }

  /// Nil before the first status.
  private func lines(_ state: State, _ now: Duration) -> [StyledLine]? {
    guard let status = state.status else { return nil }
    let link = state.lost.map { lost in
      RotationView.Link.lost(
        reason: lost.reason, seconds: max(0, (now - lost.since).components.seconds))
    }
    return view.lines(
      status, size: screen.size, reading: state.ages.reading(at: now), link: link ?? .connected)
  }

  /// Leaves the frame as it is now, with the cursor below it, also in place of the ^C that the terminal has echoed.
  private func giveBack(_ state: inout State) {
    // In the background the terminal is somebody else's.
    guard !state.isLeft, screen.isForeground else { return }
    if let lines = lines(state, uptime()) {
      screen.write(painter.last(lines, hasColor: screen.style.hasColor))
    }
    if state.isCursorHidden { screen.write(FramePainter.showCursor) }
    state.isCursorHidden = false
  }
}
