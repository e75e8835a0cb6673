public import ProtoCodec
public import RPC

extension StatusDetail {
  /// A detail that holds a message, such as `GoogleRPC.BadRequest`.
  public init<Detail: Message>(_ message: Detail) {
    let packed = AnyMessage(message)
    self.init(typeURL: packed.typeURL, value: packed.value)
  }

  /// The message, when the detail holds one of that type and it can be decoded; else nil.
  public func message<Detail: Message>(_ type: Detail.Type = Detail.self) -> Detail? {
    var packed = AnyMessage()
    packed.typeURL = typeURL
    packed.value = value
    return (try? packed.unpack(type)) ?? nil
  }
}

extension RPCError {
  /// The first detail of that type; nil when the error carries none.
  public func detail<Detail: Message>(_ type: Detail.Type = Detail.self) -> Detail? {
    details.lazy.compactMap { $0.message(type) }.first
  }
}
