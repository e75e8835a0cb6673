// The binding of server_compat.proto, which says what each field means.

public import ProtoCodec

extension Conformance {
  /// The server to start, on a port of its choice.
  public struct ServerCompatRequest: Message {
    public var `protocol` = RPCProtocol.unspecified
    public var httpVersion = HTTPVersion.unspecified
    public var useTLS = false
    public var clientTLSCert: [UInt8] = []
    public var messageReceiveLimit: UInt32 = 0
    public var serverCreds: TLSCreds?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ServerCompatRequest") {
      Field.enumeration(1, "protocol", \.protocol)
      Field.enumeration(2, "http_version", \.httpVersion)
      Field.bool(4, "use_tls", \.useTLS)
      Field.bytes(5, "client_tls_cert", \.clientTLSCert)
      Field.uint32(6, "message_receive_limit", \.messageReceiveLimit)
      Field.message(7, "server_creds", \.serverCreds)
    }
  }

  /// The server that was started.
  public struct ServerCompatResponse: Message {
    public var host = ""
    public var port: UInt32 = 0
    public var pemCert: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ServerCompatResponse") {
      Field.string(1, "host", \.host)
      Field.uint32(2, "port", \.port)
      Field.bytes(3, "pem_cert", \.pemCert)
    }
  }
}

extension SchemaFile {
  public static let conformanceServerCompat = SchemaFile(
    "connectrpc/conformance/v1/server_compat.proto", package: "connectrpc.conformance.v1",
    dependencies: [.conformanceConfig],
    messages: [
      Conformance.ServerCompatRequest.self, Conformance.ServerCompatResponse.self,
    ])
}
