import Daemon
import Testing

@Suite struct DescriptorLimitTests {
  @Test("Raising the limit of descriptors never lowers it, and may be done twice")
  func raises() {
    let before = DescriptorLimit.current
    DescriptorLimit.raise()
    let raised = DescriptorLimit.current
    #expect(raised >= before && raised > 0)
    DescriptorLimit.raise()
    #expect(DescriptorLimit.current == raised)
  }
}
