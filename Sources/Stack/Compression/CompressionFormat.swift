/// How deflated data (RFC 1951) is wrapped.
public enum CompressionFormat: Sendable, Hashable {
  /// RFC 1952; several members in a row count as one.
  case gzip
  /// RFC 1950, which gRPC and HTTP call `deflate`.
  case zlib

  /// zlib's way to choose: the window's bits, and 16 more for gzip.
  var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }
}
