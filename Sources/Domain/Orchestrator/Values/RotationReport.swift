import Rotation

/// What a rotation has proved, as a text for people that is signed and kept: that the authority that went is refused
/// by every machine and API server.
///
/// It is made of what the last look has shown, which nothing has followed that changed a machine.
struct RotationReport {
  private let rotation: RotationRecord
  private let stage: Stage
  private let closing: ClosingLook

  /// Nil for a rotation that is not over, has touched no machine, or whose last look is not on record.
  init?(_ rotation: RotationRecord) {
    guard rotation.state.isFinal, let stage = rotation.state.stage, let closing = stage.closing
    else { return nil }
    self.rotation = rotation
    self.stage = stage
    self.closing = closing
  }

  var text: String {
    ([heading] + facts + [""] + timeline + stage.machines.flatMap(lines) + cluster + closingWords)
      .map { $0.oneLine + "\n" }.joined()
  }

  private var heading: String { "omnid rotation report, version 1" }

  /// Machines that the last look has not seen: an abort does not wait for one that is gone and was sent nothing.
  private var unseen: [MachineProgress] {
    stage.machines.filter { $0.state.effort?.checks.isEmpty ?? true }
  }

  /// Whom a person had left out, as the person named them.
  private var leftOut: [String] {
    rotation.options.leftOut.beyond(stage.machines.map(\.machine))
  }

  private var wentBack: Bool { stage.reversal != nil }
  private var gone: SealedAuthority { wentBack ? rotation.new : rotation.old }

  private var facts: [String] {
    let which = wentBack ? "new CA, which the rotation had brought," : "old CA"
    let took = max(rotation.startedAt.duration(to: closing.at), .zero)
    let conditions =
      (leftOut.isEmpty ? [] : ["was not left out"])
      + (unseen.isEmpty ? [] : ["was sent anything"])
    let whom =
      "Every machine"
      + (conditions.isEmpty ? "" : " that \(conditions.joined(separator: " and "))")
    let others = stage.machines.filter { !$0.hasRefused }.map(\.machine.id)
    let proved = stage.machines.count - others.count
    let rest =
      others.isEmpty
      ? []
      : [
        "By what they accept, and not by a client that was refused: \(others.joined(separator: ", "))."
      ]
    var lines = [
      "", "\(whom) refuses the \(which) and accepts the other alone.",
      "\(proved) of \(stage.machines.count) machines have refused a client of it.",
    ]
    lines += rest
    if !leftOut.isEmpty {
      lines.append(
        "Left out, because a person said that they are gone, so that nothing is proved of them: "
          + "\(leftOut.joined(separator: ", ")).")
    }
    lines += [
      "",
      "cluster:             \(rotation.cluster)",
      "rotation:            \(rotation.id)",
      "component:           \(rotation.component.rawValue)",
      "old CA:              sha256 \(rotation.old.fingerprint)",
      "new CA:              sha256 \(rotation.new.fingerprint)",
      "refused:             sha256 \(gone.fingerprint)",
      "requested by:        \(rotation.requester)",
      "cause:               \(rotation.cause?.rawValue ?? "")",
      "reason:              \(rotation.reason)",
      "requested at:        \(rotation.startedAt)",
      "refused everywhere:  \(closing.at), \(took.minutesAndSeconds) after the request",
      "ended at:            \(rotation.finishedAt.map { "\($0)" } ?? "-")",
      "machines:            \(stage.machines.count)",
    ]
    if rotation.isAdopted {
      lines.append("begun by:            somebody else; taken over by this omnid")
    }
    if let reversal = stage.reversal {
      lines.append("aborted by:          \(reversal.requester) at \(reversal.requestedAt)")
    }
    return lines
  }

  /// Each stage from the first machine's turn to the last one's end.
  private var timeline: [String] {
    var stages: [(phase: RotationPhase, direction: RotationDirection)] = []
    for times in stage.machines.flatMap(\.times)
    where !stages.contains(where: { $0.phase == times.phase && $0.direction == times.direction }) {
      stages.append((times.phase, times.direction))
    }
    return ["Stages"]
      + stages.map { phase, direction in
        let all = stage.machines.flatMap(\.times).filter {
          $0.phase == phase && $0.direction == direction
        }
        let begun = all.map(\.begunAt).min().map { "\($0)" } ?? "-"
        let verified = all.compactMap(\.verifiedAt).max().map { "\($0)" } ?? "-"
        return "  \(Self.name(phase, direction)) begun \(begun)  verified \(verified)"
      }
  }

  private static func name(_ phase: RotationPhase, _ direction: RotationDirection) -> String {
    let name = direction == .forward ? phase.name : "undo \(phase.name)"
    return name + String(repeating: " ", count: max(0, 17 - name.count))
  }

  private func lines(_ progress: MachineProgress) -> [String] {
    let machine = progress.machine
    let role = machine.role == .controlPlane ? "control plane" : "worker"
    let identity = machine.identity.isEmpty ? "" : ", identity \(machine.identity)"
    return ["", "Machine \(machine.id) (\(role), \(machine.address)\(identity))"]
      + progress.times.map {
        "  \(Self.name($0.phase, $0.direction)) begun \($0.begunAt)  verified "
          + ($0.verifiedAt.map { "\($0)" } ?? "-")
      } + shown(progress)
  }

  private func shown(_ progress: MachineProgress) -> [String] {
    let checks = progress.state.effort?.checks ?? []
    return checks.isEmpty
      ? ["  not seen: it does not answer, and no configuration was sent to it"]
      : checks.map(Self.line)
  }

  private static func line(_ check: CheckRecord) -> String {
    let name = check.result.name
    let padding = String(repeating: " ", count: max(1, 25 - name.count))
    return "  \(name)\(padding)\(check.result.state.rawValue)  \(check.result.detail)"
  }

  private var cluster: [String] {
    closing.checks.isEmpty ? [] : ["", "The cluster as a whole"] + closing.checks.map(Self.line)
  }

  private var closingWords: [String] {
    [
      "",
      "A check named old-refused was made with a certificate that omnid issued for it from the CA",
      "that is refused, beside one that was let in, unless the check says that it was not applicable.",
      "Where a worker cannot be reached directly, what it accepts was read through a control plane; an",
      "API server that was allowed not to be ready was not asked.", "",
    ]
  }
}

extension MachineProgress {
  /// Whether a client of the authority that went was refused in the last look.
  fileprivate var hasRefused: Bool {
    state.effort?.checks.contains {
      // A kubelet's refusal says nothing of the API server on the same machine.
      $0.result.state == .passed
        && ($0.result.isNamed(.oldRefused)
          || (machine.role == .worker && $0.result.isNamed(.kubeletOldRefused)))
    } ?? false
  }
}

extension String {
  /// The text without what would begin another line or hide one.
  package var oneLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map {
          $0.properties.generalCategory == .control
            || $0.properties.generalCategory == .lineSeparator
            || $0.properties.generalCategory == .paragraphSeparator
            || $0.properties.generalCategory == .format ? "\u{FFFD}" : $0
        }))
  }
}

extension Duration {
  /// `3m12s`.
  fileprivate var minutesAndSeconds: String {
    let seconds = components.seconds
    return "\(seconds / 60)m\(seconds % 60)s"
  }
}
