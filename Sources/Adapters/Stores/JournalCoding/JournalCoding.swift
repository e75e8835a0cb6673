public import Orchestrator
public import ProtoCodec
public import Rotation
public import Schema

// Between the domain's values and the messages of omni.journal.v1, for every store that keeps records as bytes. What
// cannot be understood is `.corrupt`: a journal that is half understood is worse than one that is refused.

extension StoreError {
  public static func unreadable(_ what: String) -> StoreError {
    StoreError(
      .corrupt, "a record of the journal cannot be understood (\(what)): restore it from a backup")
  }
}

/// Decodes one record.
///
/// - Throws: `.corrupt`.
public func decoded<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws(StoreError) -> M {
  do throws(DecodingError) { return try M(serialized: bytes) } catch {
    throw .unreadable(M.protoName)
  }
}

extension Optional {
  /// What must not be absent.
  ///
  /// - Throws: `.corrupt`.
  public func required(_ what: String) throws(StoreError) -> Wrapped {
    guard let value = self else { throw .unreadable("\(what) is missing") }
    return value
  }
}

extension Timestamp {
  init(_ instant: Instant) {
    let seconds = instant.secondsSince1970
    let rest = instant.nanosecondsSince1970 &- seconds &* 1_000_000_000
    self.init(seconds: seconds, nanos: Int32(truncatingIfNeeded: rest))
  }

  var instant: Instant {
    Instant(secondsSince1970: seconds).advanced(by: .nanoseconds(nanos))
  }
}

extension ProtoDuration {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }

  var duration: Duration { .seconds(seconds) + .nanoseconds(nanos) }
}

extension Journal.Component {
  init(_ component: Rotation.SecretComponent) {
    switch component {
    case .talosCA: self = .talosCA
    case .kubernetesCA: self = .kubernetesCA
    }
  }

  public func component() throws(StoreError) -> Rotation.SecretComponent {
    switch self {
    case .talosCA: .talosCA
    case .kubernetesCA: .kubernetesCA
    default: throw .unreadable("component \(rawValue)")
    }
  }
}

extension Journal.Authority {
  public init(_ authority: SealedAuthority) {
    self.init()
    certificatePEM = authority.certificatePEM
    fingerprint = authority.fingerprint
    sealedKey = authority.sealedKey
    cluster = authority.binding.cluster
    component = Journal.Component(authority.binding.component)
    rotation = authority.binding.rotation
  }

  public func authority() throws(StoreError) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: certificatePEM, fingerprint: fingerprint, sealedKey: sealedKey,
      binding: AuthorityBinding(
        cluster: cluster, component: try component.component(), rotation: rotation))
  }
}

extension Journal.Machine {
  init(_ machine: Rotation.Machine) {
    self.init()
    id = machine.id
    address = machine.address
    controlPlane = machine.role == .controlPlane
    port = Int32(clamping: machine.port)
    identity = machine.identity
  }

  var machine: Rotation.Machine {
    Rotation.Machine(
      id: id, address: address, role: controlPlane ? .controlPlane : .worker, port: Int(port),
      identity: identity)
  }
}

extension ClusterRecord {
  public func journalBytes() -> [UInt8] {
    var record = Journal.ClusterRecord()
    record.name = name
    record.endpoints = endpoints
    record.kubernetesEndpoint = kubernetesEndpoint
    record.talosVersion = talosVersion
    record.machines = machines.map { Journal.Machine($0) }
    record.authorities = Rotation.SecretComponent.allCases.compactMap { component in
      authorities[component].map {
        var entry = Journal.ComponentAuthority()
        entry.component = Journal.Component(component)
        entry.authority = Journal.Authority($0)
        return entry
      }
    }
    record.isListed = isListed
    record.predecessors = Rotation.SecretComponent.allCases.compactMap { component in
      predecessors[component].map {
        var entry = Journal.ComponentAuthority()
        entry.component = Journal.Component(component)
        entry.authority = Journal.Authority($0)
        return entry
      }
    }
    record.importedAt = Timestamp(importedAt)
    record.activeRotation = activeRotation ?? ""
    record.rotationCount = rotationCount
    record.clusterID = clusterID
    record.lock = locks.cluster.map { Journal.Lock($0) }
    record.machineLocks = locks.machines.sorted { $0.key < $1.key }.map {
      var entry = Journal.MachineLock()
      entry.machine = $0.key
      entry.lock = Journal.Lock($0.value)
      return entry
    }
    record.marks = marks.map { mark in
      var entry = Journal.Mark()
      entry.kind = mark.kind.rawValue
      entry.since = Timestamp(mark.since)
      entry.pending = Rotation.SecretComponent.allCases.filter(mark.pending.contains)
        .map { Journal.Component($0) }
      return entry
    }
    record.returned = returned.map { returned in
      var entry = Journal.Returned()
      entry.machine = returned.machine
      entry.component = Journal.Component(returned.component)
      entry.fingerprint = returned.fingerprint
      entry.since = Timestamp(returned.since)
      return entry
    }
    record.staleTrust = staleTrust.map { Journal.StaleTrust($0) }
    record.heldCredentials = credentials.listed.map { Journal.HeldCredential($0) }
    record.unlistedCredentials = credentials.unlisted.map { Journal.UnlistedCredentials($0) }
    return record.serialized()
  }

  public init(journal bytes: [UInt8], revision: Revision) throws(StoreError) {
    let record = try decoded(Journal.ClusterRecord.self, bytes)
    var authorities: [Rotation.SecretComponent: SealedAuthority] = [:]
    for entry in record.authorities {
      let authority = try entry.authority.required("authority").authority()
      authorities[try entry.component.component()] = authority
    }
    var predecessors: [Rotation.SecretComponent: SealedAuthority] = [:]
    for entry in record.predecessors {
      let authority = try entry.authority.required("authority").authority()
      predecessors[try entry.component.component()] = authority
    }
    var locks = Locks()
    if let lock = record.lock { locks.cluster = try lock.lock() }
    for entry in record.machineLocks {
      locks.machines[entry.machine] = try entry.lock.required("lock").lock()
    }
    var marks: [Orchestrator.ClusterMark] = []
    for entry in record.marks {
      guard let kind = Orchestrator.ClusterMark.Kind(rawValue: entry.kind) else {
        throw .unreadable("mark \(entry.kind)")
      }
      var pending: Set<Rotation.SecretComponent> = []
      for component in entry.pending { pending.insert(try component.component()) }
      marks.append(
        Orchestrator.ClusterMark(
          kind, since: try entry.since.required("since").instant, pending: pending))
    }
    var returned: [ReturnedAuthority] = []
    for entry in record.returned {
      returned.append(
        ReturnedAuthority(
          machine: entry.machine, component: try entry.component.component(),
          fingerprint: entry.fingerprint, since: try entry.since.required("since").instant))
    }
    var staleTrust: [Orchestrator.StaleTrust] = []
    for entry in record.staleTrust { staleTrust.append(try entry.staleTrust()) }
    var held: [Orchestrator.HeldCredential] = []
    for entry in record.heldCredentials { held.append(try entry.credential()) }
    var unlisted: [HeldCredentials.Unlisted] = []
    for entry in record.unlistedCredentials { unlisted.append(try entry.unlisted()) }
    self.init(
      name: record.name, clusterID: record.clusterID, endpoints: record.endpoints,
      kubernetesEndpoint: record.kubernetesEndpoint, authorities: authorities,
      predecessors: predecessors, machines: record.machines.map(\.machine),
      isListed: record.isListed, talosVersion: record.talosVersion,
      importedAt: try record.importedAt.required("imported_at").instant,
      activeRotation: record.activeRotation.isEmpty ? nil : record.activeRotation,
      rotationCount: record.rotationCount, locks: locks, marks: marks, returned: returned,
      staleTrust: staleTrust, credentials: HeldCredentials(held, unlisted: unlisted),
      revision: revision)
  }
}

extension Journal.Lock {
  init(_ lock: Rotation.Lock) {
    self.init()
    requester = lock.requester
    lockedAt = Timestamp(lock.lockedAt)
    reason = lock.reason
  }

  func lock() throws(StoreError) -> Rotation.Lock {
    Rotation.Lock(
      requester: requester, lockedAt: try lockedAt.required("locked_at").instant, reason: reason)
  }
}

extension RequestRecord {
  public func journalBytes() -> [UInt8] {
    var record = Journal.RequestRecord()
    record.id = id
    record.cluster = cluster
    record.component = Journal.Component(component)
    record.rotation = rotation
    record.ordinal = ordinal
    record.attached = attached
    record.answeredAt = Timestamp(answeredAt)
    record.cause =
      switch cause {
      case .notKept: ""
      case .none: "none"
      case .cause(let cause): cause.rawValue
      }
    return record.serialized()
  }

  public init(journal bytes: [UInt8]) throws(StoreError) {
    let record = try decoded(Journal.RequestRecord.self, bytes)
    self.init(
      id: record.id, cluster: record.cluster, component: try record.component.component(),
      rotation: record.rotation, ordinal: record.ordinal, attached: record.attached,
      cause: record.cause.isEmpty ? .notKept : StatedCause(RotationCause(rawValue: record.cause)),
      answeredAt: try record.answeredAt.required("answered_at").instant)
  }
}

extension Orchestrator.AuditEntry {
  public func journalBytes() -> [UInt8] {
    var record = Journal.AuditRecord()
    record.recordedAt = Timestamp(recordedAt)
    record.call = event.call
    record.caller = event.caller
    record.method = event.method
    record.cluster = event.cluster
    record.request = event.request
    record.code = event.code
    record.message = event.message
    record.previousHash = previous
    return record.serialized()
  }

  public init(journal bytes: [UInt8], index: UInt64, hash: [UInt8]) throws(StoreError) {
    let record = try decoded(Journal.AuditRecord.self, bytes)
    self.init(
      index: index, recordedAt: try record.recordedAt.required("recorded_at").instant,
      event: AuditEvent(
        call: record.call, caller: record.caller, method: record.method, cluster: record.cluster,
        request: record.request, code: record.code, message: record.message),
      previous: record.previousHash, hash: hash)
  }
}
