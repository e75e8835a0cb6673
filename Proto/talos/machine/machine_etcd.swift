// The binding of machine.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  public struct EtcdMemberListRequest: Message {
    public var queryLocal = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdMemberListRequest") {
      Field.bool(1, "query_local", \.queryLocal)
    }
  }

  public struct EtcdMember: Message {
    public var id: UInt64 = 0
    public var hostname = ""
    public var peerURLs: [String] = []
    public var clientURLs: [String] = []
    public var isLearner = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdMember") {
      Field.uint64(2, "id", \.id)
      Field.string(3, "hostname", \.hostname)
      Field.string(4, "peer_urls", \.peerURLs)
      Field.string(5, "client_urls", \.clientURLs)
      Field.bool(6, "is_learner", \.isLearner)
    }
  }

  public struct EtcdMembers: Message {
    public var metadata: Metadata?
    public var legacyMembers: [String] = []
    public var members: [EtcdMember] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdMembers") {
      Field.message(1, "metadata", \.metadata)
      Field.string(2, "legacy_members", \.legacyMembers)
      Field.message(3, "members", \.members)
    }
  }

  public struct EtcdMemberListResponse: Message {
    public var messages: [EtcdMembers] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdMemberListResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct EtcdStatusResponse: Message {
    public var messages: [EtcdStatus] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdStatusResponse") {
      Field.message(1, "messages", \.messages)
    }
  }

  public struct EtcdStatus: Message {
    public var metadata: Metadata?
    public var memberStatus: EtcdMemberStatus?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdStatus") {
      Field.message(1, "metadata", \.metadata)
      Field.message(2, "member_status", \.memberStatus)
    }
  }

  public struct EtcdMemberStatus: Message {
    public var storageVersion = ""
    public var memberID: UInt64 = 0
    public var protocolVersion = ""
    public var dbSize: Int64 = 0
    public var dbSizeInUse: Int64 = 0
    public var leader: UInt64 = 0
    public var raftIndex: UInt64 = 0
    public var raftTerm: UInt64 = 0
    public var raftAppliedIndex: UInt64 = 0
    public var errors: [String] = []
    public var isLearner = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("machine.EtcdMemberStatus") {
      Field.string(11, "storage_version", \.storageVersion)
      Field.uint64(10, "member_id", \.memberID)
      Field.string(1, "protocol_version", \.protocolVersion)
      Field.int64(2, "db_size", \.dbSize)
      Field.int64(3, "db_size_in_use", \.dbSizeInUse)
      Field.uint64(4, "leader", \.leader)
      Field.uint64(5, "raft_index", \.raftIndex)
      Field.uint64(6, "raft_term", \.raftTerm)
      Field.uint64(7, "raft_applied_index", \.raftAppliedIndex)
      Field.string(8, "errors", \.errors)
      Field.bool(9, "is_learner", \.isLearner)
    }
  }
}
