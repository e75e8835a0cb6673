import Platform
import Testing

@Suite struct StandardPlacesTests {
  @Test(
    "omnid and its client look for the socket in the same place",
    arguments: [
      (0, [:], "/run/omnid/omnid.sock"),
      (0, ["XDG_RUNTIME_DIR": "/run/user/0"], "/run/omnid/omnid.sock"),
      (7, ["XDG_RUNTIME_DIR": "/somewhere"], "/somewhere/omnid/omnid.sock"),
      (7, [:], "/run/user/7/omnid/omnid.sock"),
      (7, ["XDG_RUNTIME_DIR": ""], "/run/user/7/omnid/omnid.sock"),
      (7, ["XDG_RUNTIME_DIR": "relative"], "/run/user/7/omnid/omnid.sock"),
    ] as [(UInt32, [String: String], String)])
  func socket(user: UInt32, environment: [String: String], path: String) {
    #expect(StandardPlaces(userID: user) { environment[$0] }.socket == path)
  }
}
