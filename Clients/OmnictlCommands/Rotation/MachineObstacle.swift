internal import Schema

/// Machines in work that show the same, with what stands in their way.
struct MachineObstacle: Equatable {
  /// All of them; several only when they are waited for.
  private(set) var machines: [MachineRotationStatus]
  /// Why, in sentences. Of several machines the names and addresses in them are `NAME` and `ADDRESS`.
  private(set) var reasons: [String]

  var state: MachineRotationState { machines[0].state }
  var names: [String] { machines.map(\.machine) }

  /// Those that are waited for first, because they are what somebody looks for.
  static func all(_ status: RotationStatus) -> [MachineObstacle] {
    let inWork = status.machines.filter { $0.state != .pending && $0.state != .done }
    var groups: [(key: [String], group: MachineObstacle)] = []
    for machine in inWork.filter({ $0.state == .waiting }) {
      let general = reasons(machine).map(machine.generalised)
      let key = [machine.openCheck?.obstacle ?? "", "\(machine.repetitions)"] + general
      if let index = groups.firstIndex(where: { $0.key == key }) {
        groups[index].group.machines.append(machine)
        groups[index].group.reasons = general
      } else {
        groups.append((key, MachineObstacle(machines: [machine], reasons: reasons(machine))))
      }
    }
    let others = inWork.filter { $0.state != .waiting }
    return groups.map(\.group)
      + others.map { MachineObstacle(machines: [$0], reasons: reasons($0)) }
  }

  private static func reasons(_ machine: MachineRotationStatus) -> [String] {
    let detail = machine.openCheck?.detail ?? ""
    var reasons = detail.isEmpty ? [] : [detail]
    if !machine.lastError.isEmpty, detail.isEmpty || !machine.lastError.contains(detail) {
      reasons.append(detail.isEmpty ? machine.lastError : "last error: \(machine.lastError)")
    }
    return reasons
  }

  /// What a person can do, once it has been waited for for a while.
  func advice(_ reading: RotationAges.Reading) -> String? {
    machines[0].openCheck.flatMap { CheckAdvice.text($0, names: names, reading) }
  }

  /// `node not ready for 42s, try 4, next in 3s`, as far as they are known.
  func facts(_ reading: RotationAges.Reading) -> String {
    let first = machines[0]
    var facts: [String] = []
    let waiting =
      state == .waiting ? machines.compactMap(\.waitingSince).map(reading.since).max() : nil
    let open = machines.compactMap { $0.openCheck?.since }.map(reading.since).max()
    if let waiting, waiting != open { facts.append("for \(Moment.span(waiting))") }
    if let check = first.openCheck {
      facts.append(open.map { "\(check.obstacle) for \(Moment.span($0))" } ?? check.obstacle)
    }
    if let silence = silence(reading) { facts.append(silence) }
    if !Repetition.text(first.repetitions).isEmpty {
      facts.append(Repetition.text(first.repetitions))
    }
    if let tries = machines.map(\.attempts).max(), tries > 1 { facts.append("try \(tries)") }
    if state == .waiting, let next = machines.compactMap(\.nextAttemptAt).map(reading.until).min() {
      facts.append("next in \(Moment.span(next))")
    }
    return facts.joined(separator: ", ")
  }

  /// `for 8s: no answer from 10.0.0.5:50000 yet`, of a machine whose change takes longer than usual.
  private func silence(_ reading: RotationAges.Reading) -> String? {
    let first = machines[0]
    guard state == .applying, reading.applying(first) >= Self.patience else { return nil }
    let span = "for \(Moment.span(reading.applying(first)))"
    guard first.openCheck == nil, !first.address.isEmpty else { return span }
    let host = first.address.contains(":") ? "[\(first.address)]" : first.address
    return "\(span): no answer from \(host)\(first.port > 0 ? ":\(first.port)" : "") yet"
  }

  /// Seconds for which a machine may be changed before something is said of it.
  private static let patience: Int64 = 5
}

/// Checks of the cluster as a whole that are open, those that say the same of several machines
/// together.
struct ClusterObstacle: Equatable {
  let check: RotationCheck
  private(set) var names: [String]
  /// Of several machines the names and addresses in it are `NAME` and `ADDRESS`.
  private(set) var reason: String
  /// The reason in words that do not name the machine, by which others are found that say the same.
  private var general: String

  static func all(_ status: RotationStatus) -> [ClusterObstacle] {
    let known = Dictionary(
      status.machines.map { ($0.machine, $0) }, uniquingKeysWith: { first, _ in first })
    var groups: [ClusterObstacle] = []
    for check in status.clusterChecks where check.isOpen {
      var (name, reason) = NamedReason.split(check.detail)
      if let found = name, known[found] == nil { (name, reason) = (nil, check.detail) }
      let machine = name.flatMap { known[$0] }
      let general = machine.map { $0.generalised(reason) } ?? reason
      let same = groups.firstIndex {
        $0.check.obstacle == check.obstacle && $0.general == general && !$0.names.isEmpty
      }
      if let same, let name {
        groups[same].names.append(name)
        groups[same].reason = general
      } else {
        groups.append(
          ClusterObstacle(
            check: check, names: name.map { [$0] } ?? [], reason: reason, general: general))
      }
    }
    return groups
  }

  /// `new client not let in yet for 29s: cp-1, cp-2: connection refused`.
  func text(_ reading: RotationAges.Reading?) -> String {
    var what = check.obstacle
    if let reading, let since = check.since {
      what += " for \(Moment.span(reading.since(since)))"
    }
    let parts = [what, names.joined(separator: ", "), reason]
    return parts.filter { !$0.isEmpty }.joined(separator: ": ")
  }

  /// What a person can do, once it has been open for a while.
  func advice(_ reading: RotationAges.Reading) -> String? {
    CheckAdvice.text(check, names: names, reading)
  }
}

extension MachineRotationStatus {
  /// A reason in words that do not name the machine.
  fileprivate func generalised(_ reason: String) -> String {
    reason.replacing(whole: machine, with: "NAME").replacing(whole: address, with: "ADDRESS")
  }
}

extension String {
  /// Replaces a name or an address where it stands for itself, not as a part of a longer one.
  fileprivate func replacing(whole name: String, with other: String) -> String {
    guard !name.isEmpty else { return self }
    func isPart(_ character: Character?) -> Bool {
      guard let character else { return false }
      return character.isLetter || character.isNumber || "-_".contains(character)
    }
    var text = ""
    var rest = self[...]
    while let range = rest.firstRange(of: name) {
      let before = rest[..<range.lowerBound].last ?? text.last
      let after = rest[range.upperBound...]
      // A dot ends a sentence, or goes on with a longer name.
      let goesOn = after.first == "." && isPart(after.dropFirst().first)
      let isWhole = !isPart(before) && before != "." && !isPart(after.first) && !goesOn
      text += rest[..<range.lowerBound]
      text += isWhole ? other : name
      rest = after
    }
    return text + rest
  }
}
