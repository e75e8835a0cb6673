internal import ProtoCodec
internal import RPC
internal import Schema

extension SimulatedNode {
  /// ApplyConfiguration on a running machine, check by check in Talos' order
  /// (siderolabs/talos, internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go).
  func applyConfiguration(
    _ request: Talos.ApplyConfigurationRequest
  ) async throws -> Talos.ApplyConfigurationResponse {
    guard state.applyBegan() else {
      throw RPCError(.failedPrecondition, "another apply configuration is already in progress")
    }
    defer { state.applyEnded() }
    try await Task.sleep(for: options.timing.apply)
    let fault = takeApplyFault()
    if case .beforeEffect(let code)? = fault {
      throw RPCError(code, "the call was cut off before it had an effect")
    }
    let response = try apply(request)
    if case .afterEffect(let code)? = fault {
      throw RPCError(code, "the connection was lost")
    }
    return response
  }

  private func apply(
    _ request: Talos.ApplyConfigurationRequest
  ) throws -> Talos.ApplyConfigurationResponse {
    if claim != nil || isInMaintenance {
      keep(request.data)
      if claim != nil, !request.dryRun { show(request.data) }
      var applied = Talos.ApplyConfiguration()
      applied.mode = .noReboot
      applied.modeDetails = "Applied configuration without a reboot"
      var response = Talos.ApplyConfigurationResponse()
      response.messages = [applied]
      return response
    }
    let isTrial = request.mode == .try
    state.applyRequested(mode: isTrial ? .tryOut : .noReboot)
    let config: MachineConfig
    do {
      config = try MachineConfig(submitted: request.data, talosMinor: state.talosMinor)
    } catch {
      throw RPCError(.invalidArgument, error.message)
    }
    if config.type != type {
      throw RPCError(.invalidArgument, "the simulator does not turn a machine into another type")
    }
    let mode: ApplyMode
    var details = "Applied configuration without a reboot"
    var reported = Talos.ApplyConfigurationRequest.Mode.noReboot
    switch request.mode {
    case .reboot:
      throw RPCError(
        .unimplemented,
        "the REBOOT mode is not supported, please use AUTO or NO_REBOOT modes instead")
    case .auto, .noReboot:
      mode = .noReboot
    case .staged:
      mode = .staged
      reported = .staged
      details = "Staged configuration to be applied after the next reboot"
    case .try:
      mode = .tryOut
      reported = .try
    default:
      throw RPCError(
        .invalidArgument,
        "incorrect mode '\(request.mode.rawValue)' specified for the apply config call")
    }
    if request.dryRun {
      details = """
        Dry run summary:
        \(details) (skipped in dry-run).
        \(ConfigDiff.summary(from: state.active.source, to: request.data))
        """
    } else {
      let timeout = request.tryModeTimeout.map(Duration.init) ?? .seconds(60)
      if isTrial {
        details +=
          "\nThe config is applied in 'try' mode and will be automatically reverted back in "
          + "\(timeout.components.seconds)s"
      }
      log.note("apply configuration request: mode \(mode.logName)", now: nowNanoseconds())
      let stored = NodeState.StoredConfig(source: request.data, config: config)
      perform(state.configApplied(stored, mode: mode, tryFor: timeout))
      configurationApplied()
    }
    var applied = Talos.ApplyConfiguration()
    applied.mode = reported
    applied.modeDetails = details
    var response = Talos.ApplyConfigurationResponse()
    response.messages = [applied]
    return response
  }
}

extension ApplyMode {
  /// What the machine's log calls the mode.
  fileprivate var logName: String {
    switch self {
    case .noReboot: "no-reboot"
    case .staged: "staged"
    case .tryOut: "try"
    }
  }
}

extension Duration {
  init(_ duration: ProtoDuration) {
    self = .seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))
  }
}

/// What a dry run shows: the lines that would go and come. Like Talos' it holds config text, keys
/// included, so whoever shows it has to redact it.
enum ConfigDiff {
  static func summary(from old: [UInt8], to new: [UInt8]) -> String {
    let before = String(decoding: old, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let after = String(decoding: new, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    let changes = after.difference(from: before)
    if changes.isEmpty { return "Config diff:\n\nNo changes." }
    let lines = changes.map { change in
      switch change {
      case .remove(_, let line, _): "-\(line)"
      case .insert(_, let line, _): "+\(line)"
      }
    }
    return "Config diff:\n\n" + lines.joined(separator: "\n")
  }
}
