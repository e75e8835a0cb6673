import Synchronization

/// The declaration of one message type, and the table that the engine walks.
///
/// One exists per message type for the life of the program.
///
/// `@unchecked Sendable`: the rows are raw memory. They are written while the layout is made and once
/// more while it is linked, under a lock, before `isLinked` is published; after that only read.
@usableFromInline final class MessageLayout: @unchecked Sendable {
  @usableFromInline let name: String
  /// In the order of the declaration.
  let fields: [FieldDefinition]
  let table: UnsafePointer<CodingTable>
  /// Bytes that the last message of this type took, the first guess for the next.
  let sizeHint = Atomic<Int>(0)

  /// The names of the fields in JSON, made at the first use.
  private let jsonNames = Mutex<JSONNames?>(nil)

  private let isLinked = Atomic<Bool>(false)
  private static let linking = Mutex<Void>(())

  /// The form in JSON, if it is not that of an object with the fields.
  let customJSON: CustomJSON?

  @usableFromInline init(
    name: String, fields: [FieldDefinition], unknownOffset: Int, customJSON: CustomJSON?
  ) {
    self.name = name
    self.customJSON = customJSON
    self.fields = fields
    let order = fields.indices.sorted { fields[$0].number < fields[$1].number }
    let rows = UnsafeMutablePointer<Row>.allocate(capacity: max(order.count, 1))
    for (position, index) in order.enumerated() {
      (rows + position).initialize(to: Row(fields[index], index: index))
      precondition(
        position == 0 || rows[position - 1].number < rows[position].number,
        "\(name) declares field number \(rows[position].number) twice")
    }
    // Numbers are small as a rule; the few that are not are searched for.
    let highest = order.last.map { fields[$0].number } ?? 0
    let directCount = min(highest, max(64, 4 * order.count)) + 1
    let direct = UnsafeMutablePointer<UnsafePointer<Row>?>.allocate(capacity: directCount)
    direct.initialize(repeating: nil, count: directCount)
    for position in order.indices where rows[position].number < directCount {
      direct[rows[position].number] = UnsafePointer(rows + position)
    }
    let table = UnsafeMutablePointer<CodingTable>.allocate(capacity: 1)
    self.table = UnsafePointer(table)
    table.initialize(
      to: CodingTable(
        rows: rows, count: order.count, direct: direct, directCount: directCount,
        unknownOffset: unknownOffset, layout: Unmanaged.passUnretained(self)))
  }

  deinit {
    // Only a map entry whose declaration was dropped, or a table that a test made, comes here.
    table.pointee.rows.deallocate()
    table.pointee.direct.deallocate()
    table.deallocate()
  }

  /// The table with the tables of all messages below it in place.
  @usableFromInline @inline(__always) func linkedTable() -> UnsafePointer<CodingTable> {
    if !isLinked.load(ordering: .acquiring) { link() }
    return table
  }

  @usableFromInline @inline(never) func link() {
    Self.linking.withLock { _ in
      var visited: [ObjectIdentifier: MessageLayout] = [:]
      var pending = [self]
      while let layout = pending.popLast() {
        guard visited.updateValue(layout, forKey: ObjectIdentifier(layout)) == nil,
          !layout.isLinked.load(ordering: .relaxed)
        else { continue }
        for position in 0..<layout.table.pointee.count {
          let row = layout.table.pointee.rows + position
          guard let below = layout.layoutBelow(row.pointee.index) else { continue }
          row.pointee.table = below.table
          pending.append(below)
        }
      }
      for layout in visited.values { layout.isLinked.store(true, ordering: .releasing) }
    }
  }

  func namesForJSON() -> JSONNames {
    jsonNames.withLock { names in
      if let names { return names }
      let made = JSONNames(fields)
      names = made
      return made
    }
  }

  /// The layout of a message field's type, or of a map's entry.
  func layoutBelow(_ index: Int) -> MessageLayout? {
    fields[index].mapEntry ?? fields[index].message?()
  }
}
