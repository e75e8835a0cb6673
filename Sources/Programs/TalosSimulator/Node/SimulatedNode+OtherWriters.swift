/// Somebody else who writes a machine's configuration, or what its trustd hands on.
extension SimulatedNode {
  /// How another writer's configuration is applied.
  public enum WriteMode: Sendable, Equatable {
    case noReboot
    /// Takes effect at the next boot.
    case staged
    /// Taken back after this time, unless somebody else writes before.
    case trial(Duration)
  }

  /// The configuration that is active, byte by byte.
  public var configuration: [UInt8] { state.active.source }

  /// Another writer applies a configuration.
  ///
  /// - Throws: `SimulatorError.options` for a configuration that the machine refuses, with its reason.
  public func write(_ source: [UInt8], mode: WriteMode = .noReboot) throws(SimulatorError) {
    let config: MachineConfig
    do { config = try MachineConfig(submitted: source, talosMinor: state.talosMinor) } catch {
      throw .options(error.message)
    }
    guard config.type == type else { throw .options("that is the config of another type") }
    let stored = NodeState.StoredConfig(source: source, config: config)
    let (apply, time): (ApplyMode, Duration) =
      switch mode {
      case .noReboot: (.noReboot, .zero)
      case .staged: (.staged, .zero)
      case .trial(let time): (.tryOut, time)
      }
    state.applyRequested(mode: apply)
    perform(state.configApplied(stored, mode: apply, tryFor: time))
  }

  /// Another writer puts a configuration back whenever somebody has applied another one, as GitOps
  /// does.
  ///
  /// - Parameters:
  ///   - source: what it takes for right; nil for the configuration of now.
  ///   - times: after so many times it leaves off.
  ///   - delay: how long it takes to notice.
  public func keepWriting(_ source: [UInt8]? = nil, times: Int, after delay: Duration = .zero) {
    standing = times > 0 ? StandingConfig(source ?? configuration, times, delay) : nil
  }

  /// What another writer keeps putting back.
  struct StandingConfig: Sendable {
    var source: [UInt8]
    var times: Int
    var delay: Duration

    init(_ source: [UInt8], _ times: Int, _ delay: Duration) {
      self.source = source
      self.times = times
      self.delay = delay
    }
  }

  /// Somebody has applied a configuration: the other writer may not like it.
  func configurationApplied() {
    guard let standing, state.active.source != standing.source else { return }
    Task {
      try? await Task.sleep(for: standing.delay)
      guard let now = self.standing, isUp, state.active.source != now.source else { return }
      self.standing?.times -= 1
      if now.times <= 1 { self.standing = nil }
      try? write(now.source)
    }
  }

  // MARK: Foreign CAs

  /// Another writer adds a CA to the machine's accepted list.
  ///
  /// - Throws: `SimulatorError.options` when the configuration has no place for it.
  public func accept(_ ca: ForeignCA, for component: TrustComponent) throws(SimulatorError) {
    let edited: [UInt8]
    do { edited = try ConfigEdit.accept(ca.certificate, for: component, in: configuration) } catch {
      throw .options("\(name): \(error)")
    }
    try write(edited)
  }

  /// Another writer takes a CA out of the machine's accepted list.
  ///
  /// - Parameter fingerprint: ``ForeignCA/fingerprint``.
  public func drop(
    _ fingerprint: String, for component: TrustComponent
  ) throws(SimulatorError) {
    let edited: [UInt8]
    do { edited = try ConfigEdit.drop(fingerprint, for: component, from: configuration) } catch {
      throw .options("\(name): \(error)")
    }
    try write(edited)
  }

  /// This control plane's trustd also hands these CAs to the workers that ask it, although no
  /// configuration lists them. Workers that have asked before do not notice.
  public func handOn(_ cas: [ForeignCA]) { handedOn = cas.map(\.certificate) }
}
