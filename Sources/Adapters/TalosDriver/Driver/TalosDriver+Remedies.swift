import Crypto
public import Orchestrator
public import Rotation

/// What is done where a look shows that something will not come by itself. The orchestrator orders it, after
/// it has been recorded.
extension TalosDriver {
  /// Makes a worker ask trustd again.
  ///
  /// A worker gets its server certificate, and the list of CAs that apid accepts, from a control plane's
  /// trustd at the moment its own configuration changes. If it asked too early nothing brings it to ask
  /// again for up to twelve hours. Listing its CA a second time changes the list that Talos derives, which
  /// does, and changes nothing of what the machine trusts. A second refresh takes the repetition out.
  public func refreshTrust(
    _ change: TrustChange, of machine: Machine, access: ClusterAccess
  ) async throws(DriverError) {
    let wanted = try wantedTrust(change, machine.role)
    do throws(TalosFailure) {
      try await withMachine(machine, access, within: .zero) { client async throws(TalosFailure) in
        var configs = try await client.machineConfigs()
        defer { configs.wipe() }
        var edited = try await self.edit(configs.active, wanted.repeated, machine)
        defer { edited.bytes.wipe() }
        if !edited.changed {
          edited.bytes.wipe()
          edited = try await self.edit(configs.active, wanted, machine)
        }
        // What a trial of our own has not brought about a write for good may.
        if await !self.isTried(configs, wanted, machine) {
          try await self.requireNothingPending(configs, machine)
        }
        try await client.requireRecentIdentity(of: machine)
        try await client.applyConfiguration(edited.bytes)
      }
    } catch {
      var reason = words(access).error(machine, error)
      reason.message =
        "its apid still has the trust of the stage before, and asking trustd again failed: "
        + reason.message
      throw reason
    }
  }

  /// Deletes the ConfigMap by which aggregated API servers know whose clients to accept, and waits until an API
  /// server has written it anew, which takes a second.
  public func renewExtensionAuthentication(
    _ change: TrustChange, access: ClusterAccess
  ) async throws(DriverError) {
    let path = ExtensionAuthentication.path
    try await withKubernetes(access) { client async throws(DriverError) in
      let answer = await client.send("DELETE", path)
      switch answer {
      case .status(200, _), .status(202, _), .status(404, _): break
      default:
        throw DriverError(
          .refused,
          "the ConfigMap extension-apiserver-authentication cannot be renewed: \(answer.summary)")
      }
      for _ in 0..<30 {
        if try await client.get(path) != nil { return }
        do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
      }
      throw DriverError(
        .refused,
        "the ConfigMap extension-apiserver-authentication was deleted, and no API server has written it "
          + "anew yet")
    }
  }
}

extension WantedTrust {
  /// The same, with the issuing authority listed twice.
  var repeated: WantedTrust {
    var copy = self
    copy.repeatsIssuing = true
    return copy
  }
}
