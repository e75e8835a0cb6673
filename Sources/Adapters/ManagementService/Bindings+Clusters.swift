import Orchestrator
import Rotation
import Schema

// The words for clusters; those for rotations stand in Bindings.swift.

extension Schema.Machine {
  init(_ machine: Rotation.Machine) {
    self.init()
    name = machine.id
    address = machine.address
    controlPlane = machine.role == .controlPlane
  }
}

extension Schema.Lock {
  init(_ lock: Rotation.Lock) {
    self.init()
    lockedBy = lock.requester
    lockedAt = Timestamp(lock.lockedAt)
    reason = lock.reason
  }
}

extension Cluster {
  /// Everything but `rotation`, which the record does not hold.
  init(_ record: ClusterRecord) {
    self.init()
    name = record.name
    endpoints = record.endpoints
    kubernetesEndpoint = RecordedText.shown(record.kubernetesEndpoint, limit: 2 << 10)
    talosVersion = RecordedText.shown(record.talosVersion, limit: 128)
    machines = record.machines.map {
      var machine = Schema.Machine($0)
      machine.lock = record.locks.machines[$0.id].map { Schema.Lock($0) }
      return machine
    }
    lock = record.locks.cluster.map { Schema.Lock($0) }
    talosCAFingerprint = record.authorities[.talosCA]?.fingerprint ?? ""
    kubernetesCAFingerprint = record.authorities[.kubernetesCA]?.fingerprint ?? ""
    importedAt = Timestamp(record.importedAt)
    machinesListed = record.isListed
    marks = record.marks.map { mark in
      var shown = Schema.ClusterMark()
      shown.name = mark.kind.rawValue
      shown.since = Timestamp(mark.since)
      shown.pending = Rotation.SecretComponent.allCases.filter(mark.pending.contains)
        .map { Schema.SecretComponent($0) }
      shown.detail = mark.explanation(cluster: record.name)
      return shown
    }
    if let first = record.returned.min(by: { $0.since < $1.since }) {
      var shown = Schema.ClusterMark()
      shown.name = "retired-ca-returned"
      shown.since = Timestamp(first.since)
      shown.pending = Rotation.SecretComponent.allCases.filter { component in
        record.returned.contains { $0.component == component }
      }.map { Schema.SecretComponent($0) }
      let others = record.returned.count > 1 ? " (and \(record.returned.count - 1) more)" : ""
      shown.detail = first.explanation(cluster: record.name) + others
      marks.append(shown)
    }
  }
}

extension CertificateAuthority {
  init(
    _ component: Rotation.SecretComponent, _ authority: SealedAuthority,
    _ description: AuthorityDescription
  ) {
    self.init()
    self.component = Schema.SecretComponent(component)
    fingerprint = authority.fingerprint
    subject = description.subject
    notBefore = Timestamp(description.notBefore)
    notAfter = Timestamp(description.notAfter)
  }
}

extension Schema.StaleTrust {
  init(_ stale: Orchestrator.StaleTrust) {
    self.init()
    component = Schema.SecretComponent(stale.component)
    rotationID = stale.rotation
    detail = stale.explanation
    guard let count = stale.count else { return }
    counted = true
    countedAt = stale.countedAt.map { Timestamp($0) }
    total = Int32(clamping: count.total)
    holders = count.holders.map { holder in
      var shown = Schema.StaleHolder()
      shown.kind = holder.kind.rawValue
      shown.namespace = holder.namespace
      shown.owner = holder.owner
      shown.count = Int32(clamping: holder.count)
      shown.remedy = holder.remedy
      return shown
    }
  }
}

extension Schema.HeldCredential {
  init(_ credential: Orchestrator.HeldCredential) {
    self.init()
    component = Schema.SecretComponent(credential.component)
    holder = credential.holder
    roles = credential.roles
    serial = credential.serial
    issuedAt = Timestamp(credential.issuedAt)
    expiresAt = Timestamp(credential.expiresAt)
  }
}

extension ReturnedCA {
  init(_ returned: ReturnedAuthority, cluster: String) {
    self.init()
    machine = returned.machine
    component = Schema.SecretComponent(returned.component)
    fingerprint = returned.fingerprint
    since = Timestamp(returned.since)
    detail = returned.explanation(cluster: cluster)
  }
}
