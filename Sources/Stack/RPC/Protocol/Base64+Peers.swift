package import Encodings

extension Base64.Rules {
  /// Base64 of a peer, in `-bin` fields, gRPC-Web-Text and Connect's queries and errors: in either alphabet, with padding or
  /// without (gRPC over HTTP2, "Custom-Metadata"), but one text for the same bytes otherwise.
  package static let peers = Base64.Rules(digits: .standardAndURL, padding: .upToTwo)
}
