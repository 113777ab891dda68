import NPUSim
import Testing

/// `drain.l1`: its bits are those of every drain, its time is that of its own path.
@Suite struct DrainL1Tests {
  private static let text = """
    .input x mxint8 [4, 32]
    .input w mxint8 [32, 8] {blocks=rows}
    .output y bf16 [4, 8]
    .tap z bf16 [4, 8]
    .buf a l1 mxint8 [4, 32]
    .buf b l1 mxint8 [32, 8] {blocks=rows}
    .buf s l1 bf16 [4, 8]
    .buf left left mxint8 [4, 32]
    .buf right right mxint8 [32, 8] {blocks=rows}
    .buf c acc acc [4, 8]
    load.l1 a <- x
    load.l1 b <- w set feed:0
    feed.left left <- a wait load:0
    feed.right right <- b set matrix:0
    matrix.matmul c <- left, right {accumulate=no, unit=release} wait feed:0
    drain.l1 s <- c {unit=yes}
    tap z <- s
    drain.hbm y <- c

    """

  @Test func `a drain to l1 has the words of a drain to HBM`() throws {
    for seed in 0..<UInt64(seededCount(300)) {
      let program = try TextFixture.program(Self.text)
      #expect(Checker.check(program).findings.isEmpty)
      let state = MachineState(program)
      var random = SeededGenerator(seed: seed)
      for id in 0..<2 {
        let buffer = program.buffers[id]
        try state.fill(
          UInt32(id), bytes: (0..<buffer.payloadExtent).map { _ in UInt8(random.below(256)) },
          scales: (0..<buffer.scaleExtent).map { _ in UInt8(100 + random.below(60)) })
      }
      let result = try FunctionalEngine.run(program, state: state)
      let hbm = state.readTensor(2).payload
      #expect(result.taps[0].payload == hbm && !hbm.allSatisfy { $0 == 0 }, "seed \(seed)")
    }
  }

  @Test func `its port is one of its own, on the drain queue`() throws {
    var machine = TestMachine.small()
    machine.paths[TransferPath.accToL1.index] = .init(rate: try #require(Rate(3)), latency: 7)
    let program = try TextFixture.program(Self.text, machine: machine)
    let op = try #require(
      program.cores[0].firstIndex { program.mnemonic($0) == "drain.l1" })
    #expect(program.cores[0][op].queue == .drain)
    let timeline = try TimingEngine.run(program, TimingOptions(timeline: true)).timeline
    let instants = try #require(timeline)[0][op]
    // 4 × 8 BF16 words are 64 bytes.
    #expect(instants.free - instants.start == 22 && instants.visible - instants.free == 7)
  }

  @Test func `a machine that states no path has none, and says what to state`() throws {
    var machine = TestMachine.small()
    machine.paths[TransferPath.accToL1.index].isPresent = false
    let findings = Checker.check(try TextFixture.program(Self.text, machine: machine)).findings
    #expect(findings.map(\.code) == [.M005])
    #expect(
      findings.first?.message.hasPrefix(
        "drain.l1: destination, s[0 +: 4, 0 +: 8], is in l1, needed another "
          + "memory: this machine has no path acc_to_l1") == true)
    #expect(
      findings.first?.fix
        == "state paths.acc_to_l1.bytes_per_cycle for the machine, or go another way")
  }

  @Test func `the rate of the path is a rate, or none`() throws {
    let key = "paths.acc_to_l1.bytes_per_cycle"
    var machine = try Presets.named("edge").configuration
    for (text, rate) in [("256/5", Rate(256, over: 5)), ("unlimited", .unlimited), ("none", nil)] {
      machine = try machine.applying(sets: ["\(key)=\(text)"])
      let path = machine[.accToL1]
      #expect(path.isPresent == (rate != nil) && (rate == nil || path.rate == rate), "\(text)")
    }
    let error = #expect(throws: NPUError.self) { try machine.applying(sets: ["\(key)=0"]) }
    #expect(error?.message.contains("or \"none\"") == true)
  }
}
