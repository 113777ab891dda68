import NPUKernels
import NPUSim
import Testing

/// Every kernel under the strictest rules that vendors publish: lowering places what they demand, and
/// nothing that it places is idle.
@Suite struct DemandedBarrierTests {
  /// No queue interlocks or streams, no accumulator forwards, and HBM needs a fence.
  static let strict =
    Queue.allCases.map { "queues.interlocks.\($0.name)=none" }
    + ["matrix.forward_tiles=unlimited", "hbm.read_after_write=fence"]
  /// As strict, with a vector queue that streams.
  static let streaming =
    strict.filter { !$0.contains("vector") } + [
      "queues.interlocks.vector=stream"
    ]

  @Test(arguments: MutationSetup.all, [strict, streaming])
  func `a kernel is proved, its words are the same, and each barrier is needed`(
    setup: MutationSetup, rules: [String]
  ) throws {
    let machine = try setup.configuration().applying(sets: rules)
    let outcome = try KernelRun.run(
      setup.kernel, setup.arguments, on: machine, schedule: setup.schedule)
    #expect(KernelRun.faults(outcome.report).isEmpty, "\(setup)")
    let type = try Catalog.kernel(named: setup.kernel)
    let program = try type.init(
      KernelArguments(kernel: setup.kernel, options: type.options, values: setup.arguments),
      machine: machine, schedule: setup.schedule
    ).program()
    for (core, records) in program.cores.enumerated() {
      let barriers = records.indices.filter {
        records[$0].kind == .barrierQueue || records[$0].kind == .barrierAll
      }
      let stride = max(1, barriers.count / (TestScale.isFull ? 200 : 8))
      for (place, op) in barriers.enumerated() where place % stride == 0 {
        let bare = program.removingMicroOps([op], core: core)
        #expect(
          !Checker.check(bare).isClean,
          "\(setup): nothing needs the barrier at \(op) of core \(core)")
      }
    }
  }
}
