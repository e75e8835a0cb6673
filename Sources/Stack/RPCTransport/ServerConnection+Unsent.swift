internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// What waits for the peer: how much it may be, and how long.
extension ServerConnection {
  /// Bytes that wait for the peer: those that no frame holds yet, and those that the socket has not taken.
  var waitingBytes: Int { session.bufferedBytes + output.keptBytes }

  /// Whether the peer takes its responses, as far as these must be kept.
  ///
  /// - Parameter isPage: for an answer that is no call's.
  func hasRoom(forPage isPage: Bool = false) -> Bool {
    let waiting = waitingBytes
    // The total is shared by all loops: it follows in steps.
    if abs(waiting - reportedWaiting) >= 64 << 10 { reportWaiting(waiting) }
    let isLittle = waiting < 64 << 10
    if isPage, isAnonymous, let most = configuration.anonymousWaitingBytesPerConnection {
      return waiting <= most && (isLittle || !limit.strangersWaitTooMuch)
    }
    return waiting <= configuration.waitingBytesPerConnection
      && (isLittle || !limit.isWaitingTooMuch)
  }

  func reportWaiting(_ waiting: Int) {
    limit.waits(waiting - reportedWaiting)
    reportedWaiting = waiting
  }

  /// The total follows what waits, also what only moves from the streams to the socket.
  func followWaiting() {
    let waiting = waitingBytes
    if waiting < 64 << 10 {
      if reportedWaiting > 0 { reportWaiting(0) }
    } else if abs(waiting - reportedWaiting) >= 64 << 10 {
      reportWaiting(waiting)
    }
  }

  /// Whether so much waits for the peer that a stream's message that can wait should. Streams for which nothing waits
  /// may go on for longer: a peer that leaves some of its streams unread gets the others all the same.
  func holdsBack(_ stream: ServerStream) -> Bool {
    let limit = configuration.waitingBytesPerConnection
    if stream.bufferedBytes > 0 {
      guard session.bufferedBytes > limit / 8 else { return false }
      stream.wantsWritable = true
    } else {
      guard session.bufferedBytes > limit / 2 || !hasRoom() else { return false }
      heldBack.append(stream)
    }
    return true
  }

  func tellHeldBack() {
    guard session.bufferedBytes <= configuration.waitingBytesPerConnection / 4, hasRoom() else {
      return
    }
    let streams = heldBack
    heldBack = []
    for stream in streams { stream.receiver?.streamWritable() }
    handlers.run()
  }

  // MARK: How long

  /// Looks, while something waits for the peer, whether the peer takes it.
  func watchUnsent() {
    if timers.runs(.unsent) || isClosed || !hasUnsent { return }
    let looks = configuration.stallTimeout / configuration.drainStallTimeout
    unsentWatch = UnsentWatch(patience: Int(looks.rounded(.up)), seeing: sight)
    lookLater()
  }

  private var hasUnsent: Bool { !output.isEmpty || session.bufferedBytes > 0 }

  private var sight: UnsentWatch.Sight {
    let outstanding = Socket.outstandingBytes(descriptorNumber) ?? 0
    return UnsentWatch.Sight(
      taken: output.written - outstanding, waitsForSocket: !output.isEmpty,
      sent: session.bodyBytesSent)
  }

  private func lookLater() {
    timers.start(.unsent, after: configuration.drainStallTimeout) { [self] in look() }
  }

  private func look() {
    timers.stop(.unsent)
    guard !isClosed, hasUnsent, var watch = unsentWatch else { return }
    watch.look(sight)
    unsentWatch = watch
    let isLeaving = serverLife.state == .leaving
    if watch.isDeadlocked(isLeaving: isLeaving) {
      return close(.timedOut("the peer reads nothing of what is sent to it"))
    }
    let endsCalls = watch.callsAreOverdue(isLeaving: isLeaving)
    if pages > 0 || endsCalls {
      session.forEachStream { stream in
        let stream = unsafeDowncast(stream, to: ServerStream.self)
        if stream.isPage {
          stream.looks = min(stream.looks, .max - 1) + 1
          if watch.isOverdue(page: Int(stream.looks), isLeaving: isLeaving) {
            takeBack(stream, "the client has not taken a page in time")
          }
        } else if endsCalls, stream.isEnded {
          takeBack(stream, "the client has not taken a call's answer while the server drained")
        }
      }
    }
    lookLater()
  }

  private func takeBack(_ stream: ServerStream, _ reason: String) {
    report(.answerUntaken, reason)
    stream.reset(.cancel)
  }
}
