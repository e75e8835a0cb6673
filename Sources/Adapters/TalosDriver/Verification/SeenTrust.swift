import Crypto

/// The authorities that a trust list holds, as the machine shows it.
struct SeenTrust: Sendable, Hashable {
  /// In the order of the list.
  var certificates: [Certificate]
  /// The certificates of the list that could not be read. The list is not known whole where there are any,
  /// because Go may read what OpenSSL does not.
  var unreadable: Int

  init(_ certificates: [Certificate], unreadable: Int = 0) {
    self.certificates = certificates
    self.unreadable = unreadable
  }

  /// Reads PEM texts as Talos does: joined without a separator, then block by block.
  init(pem texts: [String]) {
    let read = PEMReading.certificates(joining: texts)
    self.init(read.certificates, unreadable: read.unreadable)
  }
}
