internal import Schema

// What the schema's enums are called on the command line and in what it prints.

extension SecretComponent {
  /// As on the command line: `talos-ca`.
  var word: String {
    switch self {
    case .talosCA: "talos-ca"
    case .kubernetesCA: "kubernetes-ca"
    case .unspecified: "-"
    default: "component-\(rawValue)"
    }
  }

  var title: String {
    switch self {
    case .talosCA: "Talos API CA"
    case .kubernetesCA: "Kubernetes API CA"
    default: word
    }
  }

  /// The file of a client whose certificate comes from it.
  var credential: String {
    switch self {
    case .talosCA: "talosconfig"
    case .kubernetesCA: "kubeconfig"
    default: "credential"
    }
  }
}

extension RotationPhase {
  static let all: [RotationPhase] = [.preRotate, .rotate, .postRotate]

  var word: String {
    switch self {
    case .preRotate: "PRE-ROTATE"
    case .rotate: "ROTATE"
    case .postRotate: "POST-ROTATE"
    case .unspecified: "-"
    default: "PHASE-\(rawValue)"
    }
  }

  /// As the schema and the server's lines have it: `PRE_ROTATE`.
  var token: String { word.replacing("-", with: "_") }
}

extension RotationState {
  var word: String {
    switch self {
    case .idle: "IDLE"
    case .running: "RUNNING"
    case .paused: "PAUSED"
    case .aborting: "ABORTING"
    case .succeeded: "SUCCEEDED"
    case .aborted: "ABORTED"
    case .failed: "FAILED"
    case .unspecified: "-"
    default: "STATE-\(rawValue)"
    }
  }
}

extension MachineRotationState {
  var word: String {
    switch self {
    case .pending: "pending"
    case .applying: "applying"
    case .verifying: "verifying"
    case .waiting: "waiting"
    case .done: "done"
    case .unspecified: "-"
    default: "state-\(rawValue)"
    }
  }
}

extension CertificateAuthorityGeneration {
  var word: String {
    switch self {
    case .old: "old"
    case .new: "new"
    case .unspecified: "-"
    default: "generation-\(rawValue)"
    }
  }
}

extension RotationCheck {
  /// Whether it keeps the rotation from going on.
  var isOpen: Bool { state == .failed || state == .waiting }
}

extension RotationStatus {
  /// Whether a rotation runs, on its way forward or back.
  ///
  /// States that this client does not know count as running: the server says when it is over.
  var isInProgress: Bool { !rotationID.isEmpty && !isOver }

  /// Whether the rotation it tells of has ended.
  var isOver: Bool { [.succeeded, .aborted, .failed].contains(state) }

  /// What `status` and `step` say together.
  var summary: String { step.isEmpty ? status : "\(status): \(step)" }

  /// For how many seconds it ran, or had run when this status was made: by the server's monotonic
  /// clock, or by the stamps of a server that does not tell. Nil when it never started.
  var lasted: Int64? {
    if let elapsed { return max(0, elapsed.seconds) }
    return startedAt.map { Moment.seconds(from: $0, to: finishedAt ?? updatedAt ?? $0) }
  }
}

extension String {
  /// The beginning of a fingerprint, enough to tell two apart.
  var shortFingerprint: String { count > 16 ? String(prefix(16)) : self }
}

extension RotationCause {
  /// The causes by the words that users have for them.
  private static let words: [(word: String, cause: RotationCause)] = [
    ("leaked-talosconfig", .leakedTalosconfig), ("leaked-kubeconfig", .leakedKubeconfig),
    ("leaked-secrets", .leakedSecrets), ("imported", .imported), ("expiring", .expiring),
    ("routine", .routine),
  ]

  static let all = words.map(\.cause)

  /// `leaked-kubeconfig: on a laptop` is a cause and a text, `leaked-kubeconfig` a cause alone, all else a text.
  static func read(_ text: String) -> (cause: RotationCause, text: String) {
    for (word, cause) in words {
      if text == word { return (cause, "") }
      guard text.hasPrefix(word + ":") else { continue }
      return (cause, String(text.dropFirst(word.count + 1).drop { $0 == " " }))
    }
    return (.unspecified, text)
  }

  /// Words that are so near to a cause's that the cause was meant, and would not count as one.
  static func mistyped(_ text: String) -> String? {
    let word = text.prefix { $0 != ":" }
    guard !word.contains(" "), read(text).cause == .unspecified else { return nil }
    return Suggestion.nearest(to: String(word), among: words.map(\.word))
  }

  /// Empty where nobody has said.
  var word: String { Self.words.first { $0.cause == self }?.word ?? "" }
}
