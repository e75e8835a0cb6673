import Rotation

/// What an effect has come to.
enum EffectOutcome: Sendable {
  case members(
    [Machine], departures: [String: Departure], leaders: [String], unreachable: Set<String>?)
  case membersFailed(DriverError, unreachable: Set<String>?)
  case prepared(String, Baseline)
  case preparationFailed(String, DriverError)
  case applied(String)
  case applyFailed(String, DriverError)
  case attemptDue(String)
  case checked(String, [CheckResult])
  case trustRefreshed(String)
  case refreshFailed(String, DriverError)
  case persisted(String)
  case persistFailed(String, DriverError)
  case clusterChecked(ClusterReport)
  case clusterRenewed(DriverError?)
  case hooksAnswered(RotationPhase, StageAnswer)
}

/// Turns an effect of the rotation machine into calls of the driver, with everything it needs taken along:
/// it runs outside the run's actor, so that several machines are worked on at once.
struct RotationWork {
  var cluster: ClusterRecord
  var rotation: RotationRecord
  /// What earlier rotations have retired, where somebody is to be looked for.
  var retired: RetiredAuthorities
  var stage: Stage?
  /// The stage that waits for its hooks.
  var hold: StageHold?
  var driver: any ClusterDriver
  var hooks: (any StageHooks)?

  /// Carries the effect out. Nil from it: there is nothing to report.
  typealias Step = @Sendable @concurrent () async -> EffectOutcome?

  func step(_ effect: RotationMachine.Effect) -> Step {
    let change = rotation.change(stage)
    var access = ClusterAccess(cluster: cluster, rotation: change)
    access.retired = retired
    return step(effect, change, access)
  }

  private func step(
    _ effect: RotationMachine.Effect, _ change: TrustChange, _ access: ClusterAccess
  ) -> Step {
    let driver = driver
    switch effect {
    case .listMembers: return listing(access)
    case .attempt(let id, _): return { .attemptDue(id) }
    case .prepare(let id):
      return onMachine(id) { progress in
        do throws(DriverError) {
          return .prepared(
            id, try await driver.prepare(change, machine: progress.machine, access: access))
        } catch {
          return .preparationFailed(id, error)
        }
      }
    case .apply(let id):
      return onMachine(id) { progress in
        do throws(DriverError) {
          _ = try await driver.apply(change, to: progress.machine, access: access)
          return .applied(id)
        } catch {
          return .applyFailed(id, error)
        }
      }
    case .verify(let id, _):
      return onMachine(id) { progress in
        .checked(
          id,
          await driver.verify(
            change, machine: progress.machine, baseline: progress.baseline, access: access))
      }
    case .refreshTrust(let id):
      return onMachine(id) { progress in
        do throws(DriverError) {
          try await driver.refreshTrust(change, of: progress.machine, access: access)
          return .trustRefreshed(id)
        } catch {
          return .refreshFailed(id, error)
        }
      }
    case .persist(let id):
      return onMachine(id) { progress in
        do throws(DriverError) {
          try await driver.persist(change, on: progress.machine, access: access)
          return .persisted(id)
        } catch {
          return .persistFailed(id, error)
        }
      }
    case .renewExtensionAuthentication:
      return {
        do throws(DriverError) {
          try await driver.renewExtensionAuthentication(change, access: access)
          return .clusterRenewed(nil)
        } catch {
          return .clusterRenewed(error)
        }
      }
    case .askHooks(let phase, _):
      // Somebody may have aborted it, or locked the cluster, while the asking waited for its time.
      guard let hold, hold.phase == phase, let stage, cluster.locks.cluster == nil else {
        return { nil }
      }
      guard let hooks else { return { .hooksAnswered(phase, .go) } }
      let question = StageQuestion(rotation, stage, hold)
      return { .hooksAnswered(phase, await hooks.ask(question)) }
    case .verifyCluster:
      let baselines = Dictionary(
        uniqueKeysWithValues: (stage?.machines ?? []).compactMap { progress in
          progress.baseline.map { (progress.machine.id, $0) }
        })
      return {
        .clusterChecked(
          await driver.verifyCluster(change, baselines: baselines, access: access))
      }
    }
  }

  private func onMachine(
    _ id: String, _ work: @escaping @Sendable @concurrent (MachineProgress) async -> EffectOutcome
  ) -> Step {
    let progress = stage?.machines.first { $0.machine.id == id }
    return {
      guard let progress else { return nil }
      return await work(progress)
    }
  }

  private func listing(_ access: ClusterAccess) -> Step {
    let isBeginning = stage == nil
    let known = stage?.machines.map(\.machine) ?? cluster.machines
    let isWaiting = stage?.isWaiting ?? false
    let driver = driver
    return {
      async let leaders = driver.leaders(access)
      async let unreachable = isWaiting ? driver.unreachable(known, access: access) : nil
      do throws(DriverError) {
        let members = try await driver.members(access)
        let present = Set(members.map(\.id))
        var departures: [String: Departure] = [:]
        for machine in known where !present.contains(machine.id) {
          // Who has come since tells whose the nodes are.
          var asked = access
          if isBeginning { asked.cluster.machines = members + [machine] }
          departures[machine.id] = await driver.departure(of: machine, access: asked)
          // One that has gone missing since the start was asked for: nobody has had a turn, so nobody is left out.
          if isBeginning, case .doubted(let doubt) = departures[machine.id] {
            throw DriverError(
              .conflict,
              "\(machine.id) is on record, and cluster discovery does not know it any more; \(doubt)"
            )
          }
        }
        return .members(
          members, departures: departures, leaders: await leaders,
          unreachable: await unreachable)
      } catch {
        return .membersFailed(error, unreachable: await unreachable)
      }
    }
  }
}

extension RotationMachine {
  /// The options after an effect: what was said of machines is withdrawn that are members after all.
  mutating func heard(_ event: EffectOutcome, _ options: RotationOptions) -> RotationOptions {
    guard case .members(let members, _, _, _) = event else { return options }
    var options = options
    answered(options.leftOut.withdraw(members))
    return options
  }

  /// Takes what an effect has come to.
  mutating func take(_ event: EffectOutcome, at now: Instant) -> [Effect] {
    switch event {
    case .members(let members, let departures, let leaders, let unreachable):
      leadersSeen(leaders)
      reachabilitySeen(unreachable, at: now)
      return membersListed(members, departures: departures, at: now)
    case .membersFailed(let error, let unreachable):
      reachabilitySeen(unreachable, at: now)
      return error.code == .unsupportedVersion
        ? membersRefused(error.message, at: now) : membersUnavailable(error.message, at: now)
    case .prepared(let id, let baseline):
      return machinePrepared(id, baseline, at: now)
    case .preparationFailed(let id, let error):
      return preparationFailed(on: id, error.message, check: error.check, at: now)
    case .applied(let id):
      return changeApplied(to: id, at: now)
    case .applyFailed(let id, let error):
      return changeFailed(on: id, error.message, sent: error.sent, check: error.check, at: now)
    case .attemptDue(let id):
      return attemptDue(id, at: now)
    case .checked(let id, let results):
      return machineChecked(id, results, at: now)
    case .trustRefreshed(let id):
      return trustRefreshed(id, at: now)
    case .persisted(let id):
      return changePersisted(id, at: now)
    case .persistFailed(let id, let error):
      return persistFailed(on: id, error.message, check: error.check, at: now)
    case .refreshFailed(let id, let error):
      return refreshFailed(
        on: id, error.message, check: CheckResult(.trustRefresh, .waiting, error.message), at: now)
    case .clusterChecked(let report):
      return clusterChecked(report, at: now)
    case .clusterRenewed(let error):
      return clusterRenewed(error?.message, at: now)
    case .hooksAnswered(let phase, let answer):
      return hooksAnswered(phase, answer, at: now)
    }
  }
}

extension DriverError {
  /// The check that a failed change stands for.
  fileprivate var check: CheckResult {
    CheckResult(
      code == .unreachable ? .reachable : .configApplied, .failed, message)
  }
}

extension Stage {
  /// Whether something stands in the way of a machine.
  fileprivate var isWaiting: Bool {
    machines.contains { $0.state.effort?.waitingSince != nil }
  }
}
