public import Orchestrator
import ProtoCodec
import Rotation
import Schema

/// A rotation as a store keeps it: in rows of which a step of the rotation changes few.
public struct RotationRows: Sendable {
  /// While the rotation is under way, what does not change any more; once it is over, everything.
  public var record: [UInt8]
  /// Where the rotation is, but for its machines; nil once it is over.
  public var stage: [UInt8]?
  /// How far each machine is, by its name; empty once the rotation is over.
  public var machines: [String: [UInt8]]

  public init(record: [UInt8], stage: [UInt8]? = nil, machines: [String: [UInt8]] = [:]) {
    self.record = record
    self.stage = stage
    self.machines = machines
  }
}

extension RotationRecord {
  /// The rows that hold the rotation.
  ///
  /// - Parameter changed: only these machines are written, and `record` is empty, because nothing else has changed
  ///   but where the rotation is; nil: everything is. Only for a rotation that is under way.
  public func journalRows(changed: Set<String>? = nil) -> RotationRows {
    guard !state.isFinal else { return RotationRows(record: whole().serialized()) }
    var fixed = Journal.RotationRecord()
    if changed == nil { encodeFixed(&fixed) }
    var moving = Journal.RotationRecord()
    encodeMoving(&moving, withMachines: false)
    var rows = RotationRows(record: fixed.serialized(), stage: moving.serialized())
    for progress in state.stage?.machines ?? []
    where changed?.contains(progress.machine.id) ?? true {
      rows.machines[progress.machine.id] = progress.journal.serialized()
    }
    return rows
  }

  private func whole() -> Journal.RotationRecord {
    var record = Journal.RotationRecord()
    encodeFixed(&record)
    encodeMoving(&record, withMachines: true)
    return record
  }

  private func encodeFixed(_ record: inout Journal.RotationRecord) {
    record.id = id
    record.cluster = cluster
    record.ordinal = ordinal
    record.component = Journal.Component(component)
    record.old = Journal.Authority(old)
    record.new = Journal.Authority(new)
    record.reason = reason
    record.cause = cause?.rawValue ?? ""
    record.workerLimit = Int32(clamping: options.workerLimit ?? 0)
    record.ownerAcknowledged = options.acknowledgeOwner
    record.tryTimeout = options.tryTimeout.map { ProtoDuration($0) }
    record.requester = requester
    record.adopted = isAdopted
    record.startedAt = Timestamp(startedAt)
  }

  private func encodeMoving(_ record: inout Journal.RotationRecord, withMachines: Bool) {
    record.state = state.journal(withMachines: withMachines)
    record.notes = notes
    record.call = call
    record.updatedAt = Timestamp(updatedAt)
    record.finishedAt = finishedAt.map { Timestamp($0) }
    record.removeForeign = options.removeForeign
    record.allowUnready = options.allowUnready
    record.allowUnmanagedNodes = options.allowUnmanagedNodes
    record.unready = options.unready.sorted()
    record.leftOut = options.leftOut.identities.sorted { $0.key < $1.key }.map {
      Journal.LeftOutMachine(name: $0, identity: $1)
    }
    switch options.soak {
    case .lasting(let duration)?: record.soak = ProtoDuration(duration)
    case .untilContinued?: record.soaksUntilContinued = true
    case nil: break
    }
    record.elapsed = ProtoDuration(elapsed)
  }

  /// - Throws: `.corrupt`.
  public init(journal rows: RotationRows, revision: Revision) throws(StoreError) {
    // Two messages one after the other are one with the fields of both (the encoding merges them).
    let record = try decoded(Journal.RotationRecord.self, rows.record + (rows.stage ?? []))
    var state = try RotationMachine.State(journal: record.state.required("state"))
    if !rows.machines.isEmpty {
      var machines: [MachineProgress] = []
      for bytes in rows.machines.values {
        machines.append(
          try MachineProgress(journal: decoded(Journal.MachineProgress.self, bytes)))
      }
      machines.sort { RolloutPolicy.precedes($0.machine, $1.machine) }
      state = try state.with(machines)
    }
    self.init(
      id: record.id, cluster: record.cluster, ordinal: record.ordinal,
      component: try record.component.component(),
      old: try record.old.required("old").authority(),
      new: try record.new.required("new").authority(), state: state,
      notes: record.notes, reason: record.reason,
      cause: Orchestrator.RotationCause(rawValue: record.cause), requester: record.requester,
      call: record.call,
      options: RotationOptions(
        removeForeign: record.removeForeign, allowUnready: record.allowUnready,
        allowUnmanagedNodes: record.allowUnmanagedNodes,
        acknowledgeOwner: record.ownerAcknowledged,
        workerLimit: record.workerLimit > 0 ? Int(record.workerLimit) : nil,
        unready: Set(record.unready),
        soak: record.soaksUntilContinued
          ? .untilContinued : record.soak.map { Soak.lasting($0.duration) },
        tryTimeout: record.tryTimeout?.duration,
        leftOut: LeftOutMachines(
          identities: Dictionary(
            record.leftOut.map { ($0.name, $0.identity) }, uniquingKeysWith: { first, _ in first }))
      ),
      isAdopted: record.adopted,
      elapsed: record.elapsed?.duration ?? .zero,
      startedAt: try record.startedAt.required("started_at").instant,
      updatedAt: try record.updatedAt.required("updated_at").instant,
      finishedAt: record.finishedAt?.instant, revision: revision)
  }
}
