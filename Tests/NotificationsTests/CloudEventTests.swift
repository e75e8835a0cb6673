import Notifications
import Rotation
import Testing

@Suite("CloudEvents")
struct CloudEventTests {
  private func event(
    key: [String] = ["prod", "r-1", "ended"], source: String = "", cluster: String = "prod",
    subject: String = "r-1"
  ) -> CloudEvent {
    CloudEvent(
      .rotationEnded, key: key, source: source, cluster: cluster, subject: subject,
      time: Instant(secondsSince1970: 1_764_460_800), isCondition: false,
      data: Array(#"{"cluster":"prod"}"#.utf8))
  }

  private func text(_ event: CloudEvent) -> String { String(decoding: event.body, as: UTF8.self) }

  @Test("An event is one JSON object with the attributes of CloudEvents 1.0")
  func body() {
    let event = event()
    #expect(
      text(event)
        == #"{"specversion":"1.0","id":"\#(event.id)","source":"urn:omnid:clusters/prod","#
        + #""type":"dev.omni.management.rotation.ended","subject":"r-1","#
        + #""time":"2025-11-30T00:00:00Z","datacontenttype":"application/json","#
        + #""data":{"cluster":"prod"}}"#)
  }

  @Test("The origin is the one that is configured, with or without a slash at its end")
  func source() {
    for source in ["https://omnid.example.org", "https://omnid.example.org/"] {
      #expect(
        text(event(source: source)).contains(
          #""source":"https://omnid.example.org/clusters/prod""#))
    }
    #expect(text(event(cluster: "")).contains(#""source":"urn:omnid:server""#))
  }

  @Test("What stands in an attribute cannot end it")
  func escapes() {
    #expect(text(event(subject: "a\"b\\c\n")).contains(#""subject":"a\"b\\c\n","#))
  }

  @Test("Identifiers can stand in headers, are the same each time, and differ where the keys do")
  func identifiers() {
    let keys = [
      ["a", "b"], ["ab"], ["a", "b", ""], ["", "a", "b"], ["a:1:b"], ["1:a", "b"], ["a;", "b"], [],
    ]
    let ids = keys.map { CloudEvent.id($0) }
    #expect(Set(ids).count == keys.count)
    #expect(ids == keys.map { CloudEvent.id($0) })
    for id in ids {
      #expect(id.hasPrefix("evt_") && id.utf8.count == 36)
      #expect(
        id.utf8.dropFirst(4).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
      )
    }
  }
}
