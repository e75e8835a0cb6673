import Crypto
import Encodings
import Notifications
import Testing

/// What a receiver verifies, by the specification of Standard Webhooks.
@Suite("Signatures of webhooks")
struct WebhookSignatureTests {
  @Test("A request is signed as the example of Standard Webhooks is")
  func example() throws {
    let secret = try #require(Base64.decode("plJ3nmyCDGBKInavdOK15jsl"))
    let headers = WebhookSignature(SecretBytes(copying: secret)).headers(
      id: "msg_loFOjxBNrRLzqYUf", timestamp: 1_731_705_121,
      body: Array(#"{"event_type":"ping","data":{"success":true}}"#.utf8))
    #expect(headers.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
    #expect(
      headers.map(\.value) == [
        "msg_loFOjxBNrRLzqYUf", "1731705121", "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
      ])
  }

  @Test("Identifier, time, body and secret are all part of what is signed")
  func parts() {
    func signature(_ id: String, _ time: Int64, _ body: String, _ secret: UInt8) -> String {
      WebhookSignature(SecretBytes(copying: [UInt8](repeating: secret, count: 32)))
        .headers(id: id, timestamp: time, body: Array(body.utf8))[2].value
    }
    let all = [
      signature("evt_1", 1, "{}", 1), signature("evt_2", 1, "{}", 1),
      signature("evt_1", 2, "{}", 1),
      signature("evt_1", 1, "{ }", 1), signature("evt_1", 1, "{}", 2),
    ]
    #expect(Set(all).count == all.count)
  }
}
