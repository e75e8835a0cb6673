/// An authority with its private key in clear.
public struct OpenedAuthority: Sendable {
  public var certificatePEM: String
  /// PKCS#8 or what the cluster had, in PEM.
  public var keyPEM: String

  public init(certificatePEM: String, keyPEM: String) {
    self.certificatePEM = certificatePEM
    self.keyPEM = keyPEM
  }
}

/// A client configuration with a certificate that was made for it.
public struct ClientConfiguration: Sendable, Hashable {
  /// A talosconfig or a kubeconfig; holds a private key.
  public var text: String
  /// The certificate's serial number, in lower-case hexadecimal.
  public var serial: String
  /// The fingerprint of the authority that has issued the certificate.
  public var authority: String

  public init(_ text: String, serial: String = "", authority: String = "") {
    self.text = text
    self.serial = serial
    self.authority = authority
  }
}
