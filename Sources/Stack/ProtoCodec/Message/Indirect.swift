/// Keeps a singular message field on the heap, so that a message may contain itself.
///
/// ```swift
/// @Indirect public var parent: Node?
/// …
/// Field.message(2, "parent", \._parent)
/// ```
///
/// A value like any other: copies are independent.
@propertyWrapper
public struct Indirect<Wrapped: Message>: Sendable, Equatable {
  /// Immutable, hence shared freely among copies.
  @usableFromInline final class Box: Sendable {
    @usableFromInline let value: Wrapped
    @inlinable init(_ value: Wrapped) { self.value = value }
  }

  @usableFromInline var box: Box?

  @inlinable public init(wrappedValue: Wrapped? = nil) { box = wrappedValue.map(Box.init) }

  @inlinable public var wrappedValue: Wrapped? {
    get { box?.value }
    _modify {
      // The box is let go first, so that what is inside is changed in place and not copied.
      var value = box?.value
      box = nil
      defer { box = value.map(Box.init) }
      yield &value
    }
    set { box = newValue.map(Box.init) }
  }

  @inlinable public static func == (left: Self, right: Self) -> Bool {
    left.box === right.box || left.box?.value == right.box?.value
  }
}
