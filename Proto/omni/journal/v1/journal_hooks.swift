// The binding of journal.proto, which says what each field means.

public import ProtoCodec

extension Journal {
  /// A stage that waits for the hooks before it.
  public struct StageHold: Message {
    public var hook = ""
    public var answer = ""
    public var effort: Effort?
    public var phase = Phase.unspecified
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("omni.journal.v1.StageHold") {
      Field.string(1, "hook", \.hook)
      Field.string(2, "answer", \.answer)
      Field.message(3, "effort", \.effort)
      Field.enumeration(4, "phase", \.phase)
    }
  }
}
