// The binding of error_details.proto, which says what each field means.

public import ProtoCodec

extension GoogleRPC {
  /// The cause of an error, for programs.
  public struct ErrorInfo: Message {
    public var reason = ""
    public var domain = ""
    public var metadata: [String: String] = [:]
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.ErrorInfo") {
      Field.string(1, "reason", \.reason)
      Field.string(2, "domain", \.domain)
      Field.map(3, "metadata", key: .string, value: .string, \.metadata)
    }
  }

  /// When to try again.
  public struct RetryInfo: Message {
    public var retryDelay: ProtoDuration?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.RetryInfo") {
      Field.message(1, "retry_delay", \.retryDelay)
    }
  }

  /// Where in the server the error arose.
  public struct DebugInfo: Message {
    public var stackEntries: [String] = []
    public var detail = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.DebugInfo") {
      Field.string(1, "stack_entries", \.stackEntries)
      Field.string(2, "detail", \.detail)
    }
  }

  /// Which quota was exceeded.
  public struct QuotaFailure: Message {
    public var violations: [QuotaFailure.Violation] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.QuotaFailure") {
      Field.message(1, "violations", \.violations)
    }

    public struct Violation: Message {
      public var subject = ""
      public var description = ""
      public var apiService = ""
      public var quotaMetric = ""
      public var quotaID = ""
      public var quotaDimensions: [String: String] = [:]
      public var quotaValue: Int64 = 0
      public var futureQuotaValue: Int64?
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>("google.rpc.QuotaFailure.Violation") {
        Field.string(1, "subject", \.subject)
        Field.string(2, "description", \.description)
        Field.string(3, "api_service", \.apiService)
        Field.string(4, "quota_metric", \.quotaMetric)
        Field.string(5, "quota_id", \.quotaID)
        Field.map(6, "quota_dimensions", key: .string, value: .string, \.quotaDimensions)
        Field.int64(7, "quota_value", \.quotaValue)
        Field.int64(8, "future_quota_value", \.futureQuotaValue)
      }
    }
  }

  /// Which preconditions do not hold.
  public struct PreconditionFailure: Message {
    public var violations: [PreconditionFailure.Violation] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.PreconditionFailure") {
      Field.message(1, "violations", \.violations)
    }

    public struct Violation: Message {
      public var type = ""
      public var subject = ""
      public var description = ""
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>("google.rpc.PreconditionFailure.Violation") {
        Field.string(1, "type", \.type)
        Field.string(2, "subject", \.subject)
        Field.string(3, "description", \.description)
      }
    }
  }

  /// Which fields of the request are wrong.
  public struct BadRequest: Message {
    public var fieldViolations: [BadRequest.FieldViolation] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.BadRequest") {
      Field.message(1, "field_violations", \.fieldViolations)
    }

    public struct FieldViolation: Message {
      public var field = ""
      public var description = ""
      public var reason = ""
      public var localizedMessage: LocalizedMessage?
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>("google.rpc.BadRequest.FieldViolation") {
        Field.string(1, "field", \.field)
        Field.string(2, "description", \.description)
        Field.string(3, "reason", \.reason)
        Field.message(4, "localized_message", \.localizedMessage)
      }
    }
  }

  /// How to find the call in the server's logs.
  public struct RequestInfo: Message {
    public var requestID = ""
    public var servingData = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.RequestInfo") {
      Field.string(1, "request_id", \.requestID)
      Field.string(2, "serving_data", \.servingData)
    }
  }

  /// Which thing the error is about.
  public struct ResourceInfo: Message {
    public var resourceType = ""
    public var resourceName = ""
    public var owner = ""
    public var description = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.ResourceInfo") {
      Field.string(1, "resource_type", \.resourceType)
      Field.string(2, "resource_name", \.resourceName)
      Field.string(3, "owner", \.owner)
      Field.string(4, "description", \.description)
    }
  }

  /// Where to read more.
  public struct Help: Message {
    public var links: [Help.Link] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.Help") {
      Field.message(1, "links", \.links)
    }

    public struct Link: Message {
      public var description = ""
      public var url = ""
      public var unknownFields = UnknownFields()

      public init() {}

      public static let fields = FieldTable<Self>("google.rpc.Help.Link") {
        Field.string(1, "description", \.description)
        Field.string(2, "url", \.url)
      }
    }
  }

  /// A message in the caller's language.
  public struct LocalizedMessage: Message {
    public var locale = ""
    public var message = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("google.rpc.LocalizedMessage") {
      Field.string(1, "locale", \.locale)
      Field.string(2, "message", \.message)
    }
  }
}

extension SchemaFile {
  public static let rpcErrorDetails = SchemaFile(
    "google/rpc/error_details.proto", package: "google.rpc",
    dependencies: [.duration],
    messages: [
      GoogleRPC.ErrorInfo.self, GoogleRPC.RetryInfo.self, GoogleRPC.DebugInfo.self,
      GoogleRPC.QuotaFailure.self, GoogleRPC.QuotaFailure.Violation.self,
      GoogleRPC.PreconditionFailure.self, GoogleRPC.PreconditionFailure.Violation.self,
      GoogleRPC.BadRequest.self, GoogleRPC.BadRequest.FieldViolation.self,
      GoogleRPC.RequestInfo.self, GoogleRPC.ResourceInfo.self, GoogleRPC.Help.self,
      GoogleRPC.Help.Link.self, GoogleRPC.LocalizedMessage.self,
    ])
}
