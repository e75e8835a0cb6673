// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct LockClusterRequest: Message {
  public var cluster = ""
  public var reason = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.LockClusterRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "reason", \.reason)
  }
}

public struct LockClusterResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.LockClusterResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct UnlockClusterRequest: Message {
  public var cluster = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnlockClusterRequest") {
    Field.string(1, "cluster", \.cluster)
  }
}

public struct UnlockClusterResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnlockClusterResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct LockMachineRequest: Message {
  public var cluster = ""
  public var machine = ""
  public var reason = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.LockMachineRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "machine", \.machine)
    Field.string(3, "reason", \.reason)
  }
}

public struct LockMachineResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.LockMachineResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct UnlockMachineRequest: Message {
  public var cluster = ""
  public var machine = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnlockMachineRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "machine", \.machine)
  }
}

public struct UnlockMachineResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.UnlockMachineResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}

public struct ClearClusterMarkRequest: Message {
  public var cluster = ""
  public var mark = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ClearClusterMarkRequest") {
    Field.string(1, "cluster", \.cluster)
    Field.string(2, "mark", \.mark)
  }
}

public struct ClearClusterMarkResponse: Message {
  public var cluster: Cluster?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.ClearClusterMarkResponse") {
    Field.message(1, "cluster", \.cluster)
  }
}
