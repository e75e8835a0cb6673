import Crypto

/// Whether a text holds the private key of an authority, proven by a signature.
///
/// Comparing the public halves is no proof: a SEC1 key (`EC PRIVATE KEY`) brings its public half along,
/// and nobody checks that it belongs to the private one.
enum KeyProof {
  /// Signs something with the key and verifies the signature with the certificate's public key.
  static func holds(_ secret: SecretBytes, for certificate: Certificate) -> Bool {
    guard let key = try? PrivateKey(pem: secret),
      let authority = try? Authority(certificate: certificate, key: key),
      // What is signed is a certificate that is thrown away; its own key is of the quickest kind.
      let probe = try? authority.issue(
        LeafRequest(
          organizations: ["proof"], usages: [.client], validity: 1, backdating: 0,
          keyAlgorithm: .ecdsaP256), now: certificate.notBefore)
    else { return false }
    return probe.certificates.first?.isSigned(by: certificate) == true
  }
}
