import Rotation
import Testing

@Suite("Trust plan")
struct TrustPlanTests {
  /// The bundles that a rotation walks through, from before it to after it.
  static func path(_ component: SecretComponent, _ role: MachineRole) -> [TrustBundle] {
    [TrustPlan.bundle(component, .preRotate, role, .backward)]
      + RotationPhase.allCases.map { TrustPlan.bundle(component, $0, role) }
  }

  @Test("Each stage is what the facts say", arguments: SecretComponent.allCases)
  func stages(component: SecretComponent) {
    for role in MachineRole.allCases {
      let path = TrustPlanTests.path(component, role)
      #expect(path.map(\.issuing) == [.old, .old, .new, .new])
      #expect(path.map(\.accepted) == [[.old], [.old, .new], [.new, .old], [.new]])
      #expect(path.allSatisfy { $0.holdsIssuingKey == (role == .controlPlane) })
    }
  }

  @Test("A machine always accepts what it issues, lists nobody twice, and the issuer first")
  func wellFormed() {
    for component in SecretComponent.allCases {
      for phase in RotationPhase.allCases {
        for role in MachineRole.allCases {
          for direction in RotationDirection.allCases {
            let bundle = TrustPlan.bundle(component, phase, role, direction)
            #expect(bundle.accepted.first == bundle.issuing)
            #expect(Set(bundle.accepted).count == bundle.accepted.count)
            #expect(bundle.verifies(bundle))
          }
        }
      }
    }
  }

  @Test("Undoing a stage returns to what was before it")
  func backward() {
    for component in SecretComponent.allCases {
      for role in MachineRole.allCases {
        let path = TrustPlanTests.path(component, role)
        for (before, phase) in zip(path, RotationPhase.allCases) {
          #expect(TrustPlan.bundle(component, phase, role, .backward) == before)
        }
      }
    }
  }

  @Test(
    "At every step, every machine not yet updated verifies every one that is, and the reverse",
    arguments: SecretComponent.allCases)
  func neighboursVerifyEachOther(component: SecretComponent) {
    for role in MachineRole.allCases {
      for otherRole in MachineRole.allCases {
        let path = TrustPlanTests.path(component, role)
        let other = TrustPlanTests.path(component, otherRole)
        for (before, after) in zip(path, other.dropFirst()) {
          #expect(before.verifies(after))
          #expect(after.verifies(before))
        }
      }
    }
  }

  @Test("Bundles that are two stages apart need not verify each other: no stage may be skipped")
  func noStageMayBeSkipped() {
    let path = TrustPlanTests.path(.talosCA, .worker)
    #expect(!path[0].verifies(path[2]))
    #expect(!path[3].verifies(path[1]))
  }

  @Test("The stages follow one another and then end")
  func order() {
    #expect(RotationPhase.preRotate.next == .rotate)
    #expect(RotationPhase.rotate.next == .postRotate)
    #expect(RotationPhase.postRotate.next == nil)
    #expect(RotationPhase.preRotate < .rotate)
    #expect(RotationPhase.allCases.map(\.name) == ["PRE_ROTATE", "ROTATE", "POST_ROTATE"])
  }
}
