import Crypto
import Orchestrator
import Rotation

/// What all machines hold of a component, with the keys that they hold of it.
struct AuthorityReading {
  var survey: TrustSurvey
  var keys: [Certificate: SecretBytes]
  private var certificates: [String: Certificate]

  func issuing(_ fingerprint: String) -> Bool {
    survey.machines.contains { $0.issuing == fingerprint }
  }

  subscript(fingerprint: String) -> Certificate {
    get throws(DriverError) {
      guard let certificate = certificates[fingerprint] else {
        throw DriverError(.internalError, "CA \(fingerprint.prefix(12)) was not read")
      }
      return certificate
    }
  }

  @concurrent
  static func of(
    _ component: SecretComponent, _ inspections: [MachineInspection],
    _ onRecord: [SealedAuthority], current: SealedAuthority?, predecessor: SealedAuthority?,
    _ keyring: Keyring, now: Instant
  ) async throws(DriverError) -> AuthorityReading {
    var keys: [Certificate: SecretBytes] = [:]
    var certificates: [String: Certificate] = [:]
    var seen: [TrustSurvey.Seen] = []
    for inspection in inspections {
      let machine = inspection.machine
      let trust: ConfiguredTrust
      do throws(DriverError) {
        trust = try MachineConfig(inspection.active).trust(component)
      } catch {
        throw DriverError(error.code, "\(machine.id): \(error.message)")
      }
      guard trust.unreadable == 0 else {
        throw DriverError(
          .invalidConfig,
          "\(machine.id) lists accepted CAs of the \(component.rawValue) that cannot be read, or that a missing "
            + "line break joins: end every PEM block with a line break, and take out what is no certificate"
        )
      }
      var holdsKey = false
      if let issuing = trust.issuing, let key = trust.issuingKey {
        holdsKey = KeyProof.holds(key, for: issuing)
        if holdsKey, keys[issuing] == nil { keys[issuing] = key }
      }
      let inUse = inspection.listsInUse(component)
      for certificate in trust.written + inUse.flatMap({ $0 }) {
        certificates[certificate.fingerprint] = certificate
      }
      seen.append(
        TrustSurvey.Seen(
          machine: machine, issuing: trust.issuing?.fingerprint, holdsKey: holdsKey,
          listed: trust.written.map(\.fingerprint), inUse: inUse.map { $0.map(\.fingerprint) }))
    }
    var known = TrustSurvey.Known(
      current: current?.fingerprint, predecessor: predecessor?.fingerprint)
    for sealed in onRecord where sealed.binding.component == component {
      certificates[sealed.fingerprint] = try keyring.certificate(sealed)
      if sealed.hasKey { known.withKeys.insert(sealed.fingerprint) }
      if sealed.fingerprint != known.current, sealed.fingerprint != known.predecessor {
        known.retired.append(sealed.fingerprint)
      }
    }
    let survey = TrustSurvey(
      component: component, machines: seen, known: known,
      authorities: certificates.mapValues { certificate in
        TrustSurvey.Authority(
          name: ForeignAuthority.name(certificate),
          notBefore: Instant(secondsSince1970: certificate.notBefore),
          notAfter: Instant(secondsSince1970: certificate.notAfter),
          isRoot: certificate.isCA && certificate.isSigned(by: certificate))
      }, now: now)
    return AuthorityReading(survey: survey, keys: keys, certificates: certificates)
  }
}

extension MachineInspection {
  /// The trust lists that the machine works with.
  fileprivate func listsInUse(_ component: SecretComponent) -> [[Certificate]] {
    let lists: [SeenTrust?] =
      component == .talosCA
      ? [talos.rootAccepted, talos.api?.accepted, talos.trustd?.accepted]
      : [kubernetes?.rootAccepted, kubernetes?.kubeletAccepted]
    return lists.compactMap { $0?.certificates }
  }
}
