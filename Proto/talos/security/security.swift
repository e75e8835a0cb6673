// The binding of security.proto, which says what each field means.

public import ProtoCodec
public import RPC

extension Talos {
  public struct CertificateRequest: Message {
    public var csr: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("securityapi.CertificateRequest") {
      Field.bytes(1, "csr", \.csr)
    }
  }

  public struct CertificateResponse: Message {
    public var ca: [UInt8] = []
    public var crt: [UInt8] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("securityapi.CertificateResponse") {
      Field.bytes(1, "ca", \.ca)
      Field.bytes(2, "crt", \.crt)
    }
  }

  public enum SecurityServiceMethods {
    public static let service = "securityapi.SecurityService"

    /// Signs a request. The caller proves itself by the join token in metadata key `token`.
    public static let certificate = Method<CertificateRequest, CertificateResponse>(
      service: service, name: "Certificate", kind: .unary)

    /// The service as reflection describes it.
    public static let schema = SchemaService(
      "SecurityService",
      [
        SchemaMethod(certificate)
      ])
  }
}

extension SchemaFile {
  public static let talosSecurity = SchemaFile(
    "talos/security/security.proto", package: "securityapi",
    messages: [
      Talos.CertificateRequest.self, Talos.CertificateResponse.self,
    ],
    services: [Talos.SecurityServiceMethods.schema])
}
