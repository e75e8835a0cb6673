import Crypto
import ProtoCodec

/// What is read out of Kubernetes' objects.
extension JSONValue {
  var objectName: String { self["metadata"]?["name"]?.string ?? "" }

  /// Whether an object is on its way out.
  var isTerminating: Bool { self["metadata"]?["deletionTimestamp"]?.string != nil }

  /// The status of a condition (`True`, `False`, `Unknown`) with its reason.
  func condition(_ type: String) -> (status: String, reason: String)? {
    for condition in self["status"]?["conditions"]?.array ?? [] {
      if condition["type"]?.string == type, let status = condition["status"]?.string {
        return (status, condition["reason"]?.string ?? "")
      }
    }
    return nil
  }

  /// The authorities in a ConfigMap's entry; nil if it has no such entry.
  func trust(inData key: String) -> SeenTrust? {
    (self["data"]?[key]?.string).map { SeenTrust(pem: [$0]) }
  }
}
