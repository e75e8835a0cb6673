/// One received header block, in wire order, pseudo-header fields included.
///
/// Flat: all names and values in one array, with their ends. `ends[2i]` is where name `i` ends and
/// `ends[2i + 1]` where its value ends. Blocks that are equal byte for byte, as those of most calls of
/// a connection are, may be one object. Confined, with its session, to one event loop.
public final class HeaderBlock {
  public let bytes: [UInt8]
  public let ends: [UInt32]
  /// The index of `:method`, and of `:path`; -1 where there is none.
  public let methodField: Int
  public let pathField: Int
  /// For a response: `:status` begins with 1, more heads will follow.
  public let isInformational: Bool
  /// What the session's owner has made of the block, so that it need not do so again.
  public var digest: AnyObject?
  /// A request may begin with the block, by `RequestRules`.
  var isAccepted = false
  /// What the `content-length` of an accepted block says.
  var declaredLength: Int?

  init(
    bytes: [UInt8], ends: [UInt32], methodField: Int = -1, pathField: Int = -1,
    isInformational: Bool = false
  ) {
    self.bytes = bytes
    self.ends = ends
    self.methodField = methodField
    self.pathField = pathField
    self.isInformational = isInformational
  }
}
