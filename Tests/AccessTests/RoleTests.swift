import Access
import Testing

@Suite("Roles")
struct RoleTests {
  @Test("Each role may do what the roles before it may, and is known by its organization")
  func order() {
    #expect(Role.allCases == Role.allCases.sorted())
    for role in Role.allCases {
      let caller = Caller(name: "x", role: role)
      for least in Role.allCases { #expect(caller.may(least) == (least <= role)) }
      #expect(Role(organization: role.organization) == role)
    }
    #expect(Role(organization: "omni:root") == nil && Role(organization: "admin") == nil)
    #expect(!Caller(name: "x", role: nil).may(.reader))
  }

  @Test("A caller that is bound to clusters may use these, and nothing that is about all")
  func bounds() {
    let bound = Caller(name: "x", role: .admin, clusters: ["a"])
    #expect(bound.mayUse(cluster: "a"))
    #expect(!bound.mayUse(cluster: "b") && !bound.mayUse(cluster: ""))
    #expect(Caller(name: "x", role: .reader).mayUse(cluster: ""))
  }
}
