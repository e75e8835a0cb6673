import Crypto
import Encodings
import YAML

extension MachineConfig {
  /// The etcd CA, if the configuration holds its key. Rotations leave that CA alone, so it tells a control plane of the
  /// cluster from somebody who has the key of a Talos CA and nothing else.
  var provenEtcdAuthority: Certificate? {
    let pair = root.node(at: ["cluster", "etcd", "ca"])
    guard let crt = pair?["crt"]?.text, let key = pair?["key"]?.text,
      let pem = Base64.decode(crt, .folded),
      let certificate = try? Certificate(pem: String(decoding: pem, as: UTF8.self)),
      var secret = Base64.decode(key, .folded)
    else { return nil }
    return KeyProof.holds(SecretBytes(taking: &secret), for: certificate) ? certificate : nil
  }
}
