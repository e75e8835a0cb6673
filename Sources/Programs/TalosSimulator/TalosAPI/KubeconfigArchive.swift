internal import Compression

/// The archive in which a machine hands out a kubeconfig.
enum KubeconfigArchive {
  /// A compressed tar archive with the one file, up to the file's last byte.
  ///
  /// Talos closes the compressor without closing the archive, so neither the padding to a full block
  /// nor the two blocks of zeros that end an archive are there. A reader has to cope with that.
  static func make(_ text: String) throws(CompressionError) -> [UInt8] {
    let file = TarArchive.File(name: "kubeconfig", contents: Array(text.utf8))
    let whole = try TarArchive.archive(of: [file])
    return try Compressor.compress(Array(whole.prefix(512 + text.utf8.count)), .gzip)
  }
}
