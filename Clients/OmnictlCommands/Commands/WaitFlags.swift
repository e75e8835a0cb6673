internal import Platform
internal import RPC
internal import Schema

/// The flags of commands that can follow a rotation.
enum WaitFlags {
  static let wait = Flag<Bool>.switched(
    "wait", short: "w", fallback: true, "follow the rotation until it is over")

  static let waitTimeout = Flag<Duration?>.duration(
    "wait-timeout", short: "t",
    "how long to follow it in all, 0 for ever (default: as long as it gets on, which ends when nothing has for "
      + "\(GoDuration.text(patience))); the rotation itself goes on")

  /// How long a rotation may stand still before nobody waits for it any more, where no limit was given.
  static let patience: Duration = .seconds(300)

  static let all = [wait.spec, waitTimeout.spec]
}

extension Invocation {
  /// How long a rotation is followed.
  var waitLimit: WaitLimit {
    switch self[WaitFlags.waitTimeout] {
    case nil: .standstill(WaitFlags.patience)
    case .zero?: .none
    case let most?: .total(most)
    }
  }
}

extension Session {
  /// What follows a rotation again.
  var followLine: String { line("cluster -n \(cluster) secret rotate status") }

  /// Follows a rotation until it is over.
  ///
  /// - Parameter wanted: how it is to end.
  /// - Throws: when it ended otherwise, when the wait timed out, and when the server
  ///   says that it cannot be followed.
  func follow(
    _ first: RotationStatus, until wanted: RotationState = .succeeded
  ) async throws(CommandError) {
    let limit = invocation.waitLimit
    let report = makeReport()
    let follower = RotationFollower(
      client: client, cluster: cluster, address: "\(endpoint)", limit: limit)
    let outcome: RotationFollower.Outcome
    do throws(RPCError) {
      defer { report.close() }
      outcome = try await follower.follow(first, report: report)
    } catch {
      throw failure(error)
    }
    switch outcome {
    case .ended(let status): try conclude(status, wanted)
    case .timedOut(let status):
      throw timedOut(status, limit)
    }
  }

  private func timedOut(_ status: RotationStatus, _ limit: WaitLimit) -> CommandError {
    let what =
      switch limit {
      case .total(let most): "not over after \(GoDuration.text(most))"
      case .standstill(let most): "nothing has got on for \(GoDuration.text(most))"
      case .none: "not over"
      }
    return CommandError(
      .waitTimedOut, "\(what), and the rotation goes on (\(status.summary))",
      hint: "attach again: \(followLine)")
  }

  /// What a rotation that is over means for the command.
  private func conclude(
    _ status: RotationStatus, _ wanted: RotationState
  ) throws(CommandError) {
    guard status.state != wanted else {
      if format == .table { print(NextSteps.text(status, self)) }
      return
    }
    let reason = status.error.isEmpty ? status.summary : status.error
    let ending =
      switch status.state {
      case .aborted: "was aborted"
      case .succeeded: "succeeded and was not aborted"
      default: "failed"
      }
    throw CommandError(
      .failed, "the rotation of \(status.component.word) \(ending): \(reason)",
      hint: "its details: \(line("cluster -n \(cluster) secret rotate history"))")
  }

  private func makeReport() -> any RotationReport {
    switch format {
    case .json: JSONReport(output: surroundings.output, errors: surroundings.errors)
    case .table:
      // In the background from the start (a script's `timeout` puts it there) the view would never be drawn.
      if let screen = surroundings.screen, screen.isForeground {
        LiveReport(
          screen: screen, errors: surroundings.errors, signals: surroundings.signals,
          uptime: surroundings.uptime, farewell: "the rotation goes on; attach again: \(followLine)"
        )
      } else {
        LineReport(
          output: surroundings.output, errors: surroundings.errors, uptime: surroundings.uptime)
      }
    }
  }
}
