// The binding of secrets.proto, which says what each field means.

public import ProtoCodec

extension Talos {
  /// ApiCertificates.secrets.talos.dev: what apid serves and accepts.
  public struct APICertsSpec: Message {
    public var client: PEMEncodedCertificateAndKey?
    public var server: PEMEncodedCertificateAndKey?
    public var acceptedCAs: [PEMEncodedCertificate] = []
    public var skipVerifyingClientCert = false
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.secrets.APICertsSpec") {
      Field.message(2, "client", \.client)
      Field.message(3, "server", \.server)
      Field.message(4, "accepted_c_as", \.acceptedCAs)
      Field.bool(5, "skip_verifying_client_cert", \.skipVerifyingClientCert)
    }
  }

  /// KubeletSecrets.secrets.talos.dev: what the kubelet trusts.
  public struct KubeletSpec: Message {
    public var endpoint: URL?
    public var bootstrapTokenID = ""
    public var bootstrapTokenSecret = ""
    public var acceptedCAs: [PEMEncodedCertificate] = []
    public var endpointTLSServerName = ""
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.secrets.KubeletSpec") {
      Field.message(1, "endpoint", \.endpoint)
      Field.string(3, "bootstrap_token_id", \.bootstrapTokenID)
      Field.string(4, "bootstrap_token_secret", \.bootstrapTokenSecret)
      Field.message(5, "accepted_c_as", \.acceptedCAs)
      Field.string(6, "endpoint_tls_server_name", \.endpointTLSServerName)
    }
  }

  /// KubernetesDynamicCerts.secrets.talos.dev: what the API server serves and uses.
  public struct KubernetesDynamicCertsSpec: Message {
    public var apiServer: PEMEncodedCertificateAndKey?
    public var apiServerKubeletClient: PEMEncodedCertificateAndKey?
    public var frontProxy: PEMEncodedCertificateAndKey?
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "talos.resource.definitions.secrets.KubernetesDynamicCertsSpec"
    ) {
      Field.message(1, "api_server", \.apiServer)
      Field.message(2, "api_server_kubelet_client", \.apiServerKubeletClient)
      Field.message(3, "front_proxy", \.frontProxy)
    }
  }

  /// KubernetesRootSecrets.secrets.talos.dev: the Kubernetes CA and its company. Control planes
  /// only.
  public struct KubernetesRootSpec: Message {
    public var name = ""
    public var endpoint: URL?
    public var localEndpoint: URL?
    public var certSANs: [String] = []
    public var dnsDomain = ""
    public var issuingCA: PEMEncodedCertificateAndKey?
    public var serviceAccount: PEMEncodedKey?
    public var aggregatorCA: PEMEncodedCertificateAndKey?
    public var aescbcEncryptionSecret = ""
    public var bootstrapTokenID = ""
    public var bootstrapTokenSecret = ""
    public var secretboxEncryptionSecret = ""
    public var apiServerIPs: [NetIP] = []
    public var acceptedCAs: [PEMEncodedCertificate] = []
    public var etcdEncryptionConfig: ProtoStruct?
    public var acceptedAggregatorCAs: [PEMEncodedCertificate] = []
    public var serviceAccountAcceptedKeys: [PEMEncodedKey] = []
    public var issuerURL = ""
    public var acceptedIssuers: [String] = []
    public var apiAudiences: [String] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "talos.resource.definitions.secrets.KubernetesRootSpec"
    ) {
      Field.string(1, "name", \.name)
      Field.message(2, "endpoint", \.endpoint)
      Field.message(3, "local_endpoint", \.localEndpoint)
      Field.string(4, "cert_sa_ns", \.certSANs)
      Field.string(6, "dns_domain", \.dnsDomain)
      Field.message(7, "issuing_ca", \.issuingCA)
      Field.message(8, "service_account", \.serviceAccount)
      Field.message(9, "aggregator_ca", \.aggregatorCA)
      Field.string(10, "aescbc_encryption_secret", \.aescbcEncryptionSecret)
      Field.string(11, "bootstrap_token_id", \.bootstrapTokenID)
      Field.string(12, "bootstrap_token_secret", \.bootstrapTokenSecret)
      Field.string(13, "secretbox_encryption_secret", \.secretboxEncryptionSecret)
      Field.message(14, "api_server_ips", \.apiServerIPs)
      Field.message(15, "accepted_c_as", \.acceptedCAs)
      Field.message(16, "etcd_encryption_config", \.etcdEncryptionConfig)
      Field.message(17, "accepted_aggregator_c_as", \.acceptedAggregatorCAs)
      Field.message(18, "service_account_accepted_keys", \.serviceAccountAcceptedKeys)
      Field.string(19, "issuer_url", \.issuerURL)
      Field.string(20, "accepted_issuers", \.acceptedIssuers)
      Field.string(21, "api_audiences", \.apiAudiences)
    }
  }

  /// OSRootSecrets.secrets.talos.dev: the Talos CA.
  public struct OSRootSpec: Message {
    public var issuingCA: PEMEncodedCertificateAndKey?
    public var certSANIPs: [NetIP] = []
    public var certSANDNSNames: [String] = []
    public var token = ""
    public var acceptedCAs: [PEMEncodedCertificate] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>("talos.resource.definitions.secrets.OSRootSpec") {
      Field.message(1, "issuing_ca", \.issuingCA)
      Field.message(2, "cert_sani_ps", \.certSANIPs)
      Field.string(3, "cert_sandns_names", \.certSANDNSNames)
      Field.string(4, "token", \.token)
      Field.message(5, "accepted_c_as", \.acceptedCAs)
    }
  }

  /// TrustdCertificates.secrets.talos.dev: what trustd serves and accepts. Control planes only.
  public struct TrustdCertsSpec: Message {
    public var server: PEMEncodedCertificateAndKey?
    public var acceptedCAs: [PEMEncodedCertificate] = []
    public var unknownFields = UnknownFields()

    public init() {}

    public static let fields = FieldTable<Self>(
      "talos.resource.definitions.secrets.TrustdCertsSpec"
    ) {
      Field.message(2, "server", \.server)
      Field.message(3, "accepted_c_as", \.acceptedCAs)
    }
  }
}

extension SchemaFile {
  public static let talosSecrets = SchemaFile(
    "talos/resource/definitions/secrets/secrets.proto",
    package: "talos.resource.definitions.secrets",
    dependencies: [.structure, .talosCommon],
    messages: [
      Talos.APICertsSpec.self, Talos.KubeletSpec.self, Talos.KubernetesDynamicCertsSpec.self,
      Talos.KubernetesRootSpec.self, Talos.OSRootSpec.self, Talos.TrustdCertsSpec.self,
    ])
}
