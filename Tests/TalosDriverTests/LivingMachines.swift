import Testing

/// Tests of the driver among other actors, one cluster at a time: many at once would run into the
/// deadlines of their calls on a small machine.
@Suite("The driver among other actors", .serialized)
enum LivingMachines {}
