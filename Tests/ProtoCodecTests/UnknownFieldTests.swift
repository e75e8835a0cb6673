import Testing

@testable import ProtoCodec

@Suite struct UnknownFieldTests {
  @Test(
    "The name with the fewest edits is the one that was meant",
    arguments: [
      ("dryrun", "dryRun"), ("dry_run", "dryRun"), ("DRYRUN", "dryRun"), ("dryRnu", "dryRun"),
      ("clusters", "cluster"), ("requestID", "requestId"), ("reqestId", "requestId"),
    ])
  func nearest(name: String, meant: String) {
    #expect(
      NearestName.of(name, among: ["cluster", "component", "dryRun", "requestId"]) == meant)
  }

  @Test(
    "For a name that is like none of them nothing is proposed",
    arguments: ["", "x", "zzzzzz", String(repeating: "dryRun", count: 100)])
  func none(name: String) { #expect(NearestName.of(name, among: ["cluster", "dryRun"]) == nil) }

  @Test("Neighbours that are swapped are one edit")
  func distance() {
    #expect(NearestName.distance(Array("ab".utf8), Array("ba".utf8)) == 1)
    #expect(NearestName.distance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
    #expect(NearestName.distance([], Array("abc".utf8)) == 3)
  }

  @Test("Of an unknown name 64 characters are shown, none of them one that steers a terminal")
  func shown() throws {
    let name = "\u{1b}[31m\u{9b}1m\u{202e}\u{2028}" + String(repeating: "\u{e9}", count: 100)
    let error = #expect(throws: JSONDecodingError.self) {
      try Scalars(json: .object(JSONObject([(key: name, value: .null)])))
    }
    let path = try #require(error).path
    #expect(path.unicodeScalars.count == 64)
    #expect(path.hasPrefix("?[31m?1m??\u{e9}"))
  }

  @Test("A field that is unknown deep in a message is named with its path")
  func path() {
    let text = #"{"scalarsValues":[{"int32Value":1},{"int32Vlaue":1}]}"#
    let error = #expect(throws: JSONDecodingError.self) { try Lists(json: text) }
    #expect(
      error?.description
        == #"JSON: unknown field "scalars_values[1].int32Vlaue"; did you mean "int32Value"?"#)
  }
}
