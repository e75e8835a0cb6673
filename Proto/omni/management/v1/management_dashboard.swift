// The binding of management.proto, which says what each field means.

public import ProtoCodec

public struct CreateDashboardLinkRequest: Message {
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CreateDashboardLinkRequest") {}
}

public struct CreateDashboardLinkResponse: Message {
  public var urls: [String] = []
  public var expiresAt: Timestamp?
  public var serverCertificateFingerprint = ""
  public var serverCA = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CreateDashboardLinkResponse") {
    Field.string(1, "urls", \.urls)
    Field.message(2, "expires_at", \.expiresAt)
    Field.string(3, "server_certificate_fingerprint", \.serverCertificateFingerprint)
    Field.string(4, "server_ca", \.serverCA)
  }
}

public struct OpenDashboardSessionRequest: Message {
  public var code = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.OpenDashboardSessionRequest") {
    Field.string(1, "code", \.code)
  }
}

public struct OpenDashboardSessionResponse: Message {
  public var caller: DashboardCaller?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.OpenDashboardSessionResponse") {
    Field.message(1, "caller", \.caller)
  }
}

public struct GetDashboardSessionRequest: Message {
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetDashboardSessionRequest") {}
}

public struct GetDashboardSessionResponse: Message {
  public var caller: DashboardCaller?
  public var serverVersion = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.GetDashboardSessionResponse") {
    Field.message(1, "caller", \.caller)
    Field.string(2, "server_version", \.serverVersion)
  }
}

public struct CloseDashboardSessionRequest: Message {
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CloseDashboardSessionRequest") {}
}

public struct CloseDashboardSessionResponse: Message {
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.CloseDashboardSessionResponse") {}
}

/// Who a caller is to the server.
public struct DashboardCaller: Message {
  public var name = ""
  public var role = AccessRole.unspecified
  public var clusters: [String] = []
  public var expiresAt: Timestamp?
  public var session = false
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("omni.management.v1.DashboardCaller") {
    Field.string(1, "name", \.name)
    Field.enumeration(2, "role", \.role)
    Field.string(3, "clusters", \.clusters)
    Field.message(4, "expires_at", \.expiresAt)
    Field.bool(5, "session", \.session)
  }
}
