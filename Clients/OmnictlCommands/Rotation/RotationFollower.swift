internal import RPC
internal import Schema

/// Watches one rotation until it is over, through restarts of the server.
struct RotationFollower: Sendable {
  enum Outcome: Sendable, Equatable {
    case ended(RotationStatus)
    /// The last status that was seen.
    case timedOut(RotationStatus)
  }

  /// Why a watch stopped without telling how the rotation ended.
  private enum Stop {
    case ended(RotationStatus)
    /// The stream ended, or shows another rotation by now: the history knows.
    case lookUp
  }

  let client: RPCClient
  let cluster: String
  /// What the server's address is called in errors, where it says nothing new.
  var address = ""
  let limit: WaitLimit
  /// How long to wait before the first new attempt; doubled each time, up to 2 seconds.
  var firstDelay: Duration = .milliseconds(100)

  /// - Parameter first: the status the rotation was found in; shown as the first.
  /// - Throws: what the server answers when it cannot be watched at all: the cluster was forgotten,
  ///   no rights.
  func follow(
    _ first: RotationStatus, report: any RotationReport
  ) async throws(RPCError) -> Outcome {
    var watch = Watch(rotationID: first.rotationID, current: first, report: report, limit: limit)
    var delay = firstDelay
    report.show(first)
    if first.isOver { return .ended(first) }
    while true {
      let left = watch.left
      if let left, left <= .zero { return .timedOut(watch.current) }
      let attempts = watch.received
      let began = ContinuousClock.now
      do throws(RPCError) {
        switch try await run(&watch, timeout: left) {
        case .ended(let status): return .ended(status)
        case .lookUp:
          if let status = try await find(first.rotationID), status.isOver {
            report.show(status)
            return .ended(status)
          }
        }
      } catch {
        switch error.code {
        case .deadlineExceeded, .cancelled, .unavailable, .aborted:
          if Task.isCancelled { throw error }
          if let left = watch.left, left <= .zero { return .timedOut(watch.current) }
          // The call had the time that was left when it began; the rotation has got on since.
          if error.code == .deadlineExceeded, let left, ContinuousClock.now - began >= left {
            continue
          }
          watch.lost(error.reason(without: address))
        case .invalidArgument where watch.current.revision > 0 && !watch.startsOver:
          // The server's journal is an older one than the one this revision came from.
          watch.startsOver = true
          continue
        default: throw error
        }
      }
      if watch.received > attempts { delay = firstDelay }
      let wait = watch.left.map { min(delay, $0) } ?? delay
      if (try? await Task.sleep(for: max(wait, .zero))) == nil {
        throw RPCError(.cancelled, "the command was cancelled")
      }
      delay = min(delay * 2, .seconds(2))
    }
  }

  /// One WatchRotationStatus.
  private func run(_ watch: inout Watch, timeout: Duration?) async throws(RPCError) -> Stop {
    var request = WatchRotationStatusRequest()
    request.cluster = cluster
    request.afterRevision = watch.startsOver ? 0 : watch.current.revision
    // After an interruption the known revision is asked for again: its coming says that the server
    // answers, also when the rotation has not moved.
    if watch.isLost && request.afterRevision > 0 { request.afterRevision -= 1 }
    request.stopWhenIdle = true
    request.changesOnly = true
    var seen = watch
    defer { watch = seen }
    do {
      return try await client.serverStreaming(
        ManagementServiceMethods.watchRotationStatus, request,
        options: CallOptions(timeout: timeout, responseMessageBytes: 64 << 20)
      ) { stream in
        for try await response in stream {
          if let stop = seen.take(response) { return stop }
        }
        return .lookUp
      }
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.cancelled, "the command was cancelled")
    }
  }

  /// The rotation as the history has it; nil when it is not there any more.
  private func find(_ rotationID: String) async throws(RPCError) -> RotationStatus? {
    var request = ListRotationsRequest()
    request.cluster = cluster
    let page = try await client.unary(
      ManagementServiceMethods.listRotations, request,
      options: CallOptions(timeout: .seconds(10), responseMessageBytes: 64 << 20))
    guard let found = page.rotations.first(where: { $0.rotationID == rotationID }) else {
      throw RPCError(.notFound, "rotation \(rotationID) is not known any more")
    }
    return found
  }

  /// What one has seen of a rotation.
  private struct Watch {
    let rotationID: String
    var current: RotationStatus
    let report: any RotationReport
    private var clock: WaitClock
    var isLost = false
    var startsOver = false
    /// How many statuses came.
    var received = 0

    init(
      rotationID: String, current: RotationStatus, report: any RotationReport, limit: WaitLimit
    ) {
      self.rotationID = rotationID
      self.current = current
      self.report = report
      clock = WaitClock(limit, at: .now)
      clock.take(current, at: .now)
    }

    /// How long it is waited for yet; nil: for ever.
    var left: Duration? { clock.deadline.map { $0 - ContinuousClock.now } }

    mutating func lost(_ reason: String) {
      isLost = true
      report.interrupted(reason)
    }

    mutating func take(_ response: WatchRotationStatusResponse) -> Stop? {
      guard var status = response.status else { return nil }
      received += 1
      if isLost { report.resumed() }
      isLost = false
      startsOver = false
      guard status.rotationID == rotationID else { return .lookUp }
      if response.machinesChangedOnly { status = current.changed(by: status) }
      clock.take(status, at: .now)
      if status != current {
        current = status
        report.show(status)
      }
      return status.isOver ? .ended(status) : nil
    }
  }
}
