extension Field {
  /// A singular message field.
  @inlinable public static func message<Sub: Message>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, Sub?>, json: String? = nil
  ) -> Self {
    message(
      number, name, offset(of: path, name), Sub.self, json,
      FieldAccess(
        stride: MemoryLayout<Sub>.stride,
        encode: { field, row, writer in
          // A set Optional starts with its payload, so its address is that of the message.
          if case .some = field.assumingMemoryBound(to: Sub?.self).pointee {
            writer.message(row, field)
          }
        },
        decode: { field, row, reader throws(DecodingError) in
          let value = field.assumingMemoryBound(to: Sub?.self)
          if case .none = value.pointee { value.pointee = Sub() }
          try reader.message(row, into: field)
        },
        visit: { field, body throws(JSONEncodingError) in
          if case .some = field.assumingMemoryBound(to: Sub?.self).pointee { try body(field) }
        },
        insert: { field, fill throws(JSONDecodingError) in
          var message = Sub()
          try withUnsafeMutablePointer(to: &message) { pointer throws(JSONDecodingError) in
            try fill(UnsafeMutableRawPointer(pointer))
          }
          field.assumingMemoryBound(to: Sub?.self).pointee = message
        }))
  }

  /// A singular message field of a message that contains itself: `\._name` of an `@Indirect` property.
  @inlinable public static func message<Sub: Message>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, Indirect<Sub>>, json: String? = nil
  ) -> Self {
    message(
      number, name, offset(of: path, name), Sub.self, json,
      FieldAccess(
        stride: MemoryLayout<Sub>.stride,
        encode: { field, row, writer in
          guard let box = field.assumingMemoryBound(to: Indirect<Sub>.self).pointee.box else {
            return
          }
          withUnsafePointer(to: box.value) { writer.message(row, UnsafeRawPointer($0)) }
        },
        decode: { field, row, reader throws(DecodingError) in
          let value = field.assumingMemoryBound(to: Indirect<Sub>.self)
          var message = value.pointee.box?.value ?? Sub()
          value.pointee.box = nil
          try withUnsafeMutablePointer(to: &message) { pointer throws(DecodingError) in
            try reader.message(row, into: UnsafeMutableRawPointer(pointer))
          }
          value.pointee.box = .init(message)
        },
        visit: { field, body throws(JSONEncodingError) in
          guard let box = field.assumingMemoryBound(to: Indirect<Sub>.self).pointee.box else {
            return
          }
          try withUnsafePointer(to: box.value) { pointer throws(JSONEncodingError) in
            try body(UnsafeRawPointer(pointer))
          }
        },
        insert: { field, fill throws(JSONDecodingError) in
          var message = Sub()
          try withUnsafeMutablePointer(to: &message) { pointer throws(JSONDecodingError) in
            try fill(UnsafeMutableRawPointer(pointer))
          }
          field.assumingMemoryBound(to: Indirect<Sub>.self).pointee.box = .init(message)
        }))
  }

  /// A list of messages.
  @inlinable public static func message<Sub: Message>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, [Sub]>, json: String? = nil
  ) -> Self {
    let definition = message(
      number, name, offset(of: path, name), Sub.self, json,
      FieldAccess(
        stride: MemoryLayout<Sub>.stride,
        encode: { field, row, writer in
          field.assumingMemoryBound(to: [Sub].self).pointee.withUnsafeBufferPointer { list in
            writer.messages(
              row, UnsafeRawPointer(list.baseAddress), list.count, MemoryLayout<Sub>.stride)
          }
        },
        decode: { field, row, reader throws(DecodingError) in
          let list = field.assumingMemoryBound(to: [Sub].self)
          if list.pointee.isEmpty {
            list.pointee.reserveCapacity(reader.countRun(row, stride: MemoryLayout<Sub>.stride))
          }
          repeat {
            try reader.spend(MemoryLayout<Sub>.stride)
            list.pointee.append(Sub())
            let last = list.pointee.count - 1
            try list.pointee.withUnsafeMutableBufferPointer { elements throws(DecodingError) in
              try reader.message(row, into: UnsafeMutableRawPointer(elements.baseAddress! + last))
            }
          } while reader.continues(row)
        },
        visit: { field, body throws(JSONEncodingError) in
          for message in field.assumingMemoryBound(to: [Sub].self).pointee {
            try withUnsafePointer(to: message) { pointer throws(JSONEncodingError) in
              try body(UnsafeRawPointer(pointer))
            }
          }
        },
        insert: { field, fill throws(JSONDecodingError) in
          var message = Sub()
          try withUnsafeMutablePointer(to: &message) { pointer throws(JSONDecodingError) in
            try fill(UnsafeMutableRawPointer(pointer))
          }
          field.assumingMemoryBound(to: [Sub].self).pointee.append(message)
        }))
    return Field(
      definition.definitions.map { field in
        var field = field
        field.isRepeated = true
        return field
      })
  }

  @usableFromInline static func message<Sub: Message>(
    _ number: Int, _ name: String, _ offset: Int, _ type: Sub.Type, _ json: String?,
    _ access: FieldAccess
  ) -> Self {
    var definition = FieldDefinition(
      number: number, name: name, type: .message, shape: .access, offset: offset)
    definition.access = access
    definition.message = { Sub.fields.layout }
    definition.customJSONName = json
    return Field(definition)
  }
}
