// The binding of config.proto, which says what each field means.

public import ProtoCodec

extension Conformance {
  /// A run.
  public struct Config: Message {
    public var features: Features?
    public var includeCases: [ConfigCase] = []
    public var excludeCases: [ConfigCase] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.Config") {
      Field.message(1, "features", \.features)
      Field.message(2, "include_cases", \.includeCases)
      Field.message(3, "exclude_cases", \.excludeCases)
    }
  }

  /// What an implementation supports; see connectrpc/conformance for what an absent field means.
  public struct Features: Message {
    public var versions: [HTTPVersion] = []
    public var protocols: [RPCProtocol] = []
    public var codecs: [Codec] = []
    public var compressions: [Compression] = []
    public var streamTypes: [StreamType] = []
    public var supportsH2C: Bool?
    public var supportsTLS: Bool?
    public var supportsTLSClientCerts: Bool?
    public var supportsTrailers: Bool?
    public var supportsHalfDuplexBidiOverHttp1: Bool?
    public var supportsConnectGet: Bool?
    public var supportsMessageReceiveLimit: Bool?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.Features") {
      Field.enumeration(1, "versions", \.versions)
      Field.enumeration(2, "protocols", \.protocols)
      Field.enumeration(3, "codecs", \.codecs)
      Field.enumeration(4, "compressions", \.compressions)
      Field.enumeration(5, "stream_types", \.streamTypes)
      Field.bool(6, "supports_h2c", \.supportsH2C)
      Field.bool(7, "supports_tls", \.supportsTLS)
      Field.bool(8, "supports_tls_client_certs", \.supportsTLSClientCerts)
      Field.bool(9, "supports_trailers", \.supportsTrailers)
      Field.bool(10, "supports_half_duplex_bidi_over_http1", \.supportsHalfDuplexBidiOverHttp1)
      Field.bool(11, "supports_connect_get", \.supportsConnectGet)
      Field.bool(12, "supports_message_receive_limit", \.supportsMessageReceiveLimit)
    }
  }

  /// One combination; an absent field means every value.
  public struct ConfigCase: Message {
    public var version = HTTPVersion.unspecified
    public var `protocol` = RPCProtocol.unspecified
    public var codec = Codec.unspecified
    public var compression = Compression.unspecified
    public var streamType = StreamType.unspecified
    public var useTLS: Bool?
    public var useTLSClientCerts: Bool?
    public var useMessageReceiveLimit: Bool?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.ConfigCase") {
      Field.enumeration(1, "version", \.version)
      Field.enumeration(2, "protocol", \.protocol)
      Field.enumeration(3, "codec", \.codec)
      Field.enumeration(4, "compression", \.compression)
      Field.enumeration(5, "stream_type", \.streamType)
      Field.bool(6, "use_tls", \.useTLS)
      Field.bool(7, "use_tls_client_certs", \.useTLSClientCerts)
      Field.bool(8, "use_message_receive_limit", \.useMessageReceiveLimit)
    }
  }

  /// A certificate and its key, both PEM.
  public struct TLSCreds: Message {
    public var cert: [UInt8] = []
    public var key: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("connectrpc.conformance.v1.TLSCreds") {
      Field.bytes(1, "cert", \.cert)
      Field.bytes(2, "key", \.key)
    }
  }
}
