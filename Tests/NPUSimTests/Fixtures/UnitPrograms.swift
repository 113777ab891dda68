import NPUSim

/// Random pipelines of chains of matmuls and their drains: right, with the accumulators handed over by
/// unit flags alone.
///
/// Everything else is ordered by the events that the builder makes. `events` is the same pipeline
/// without a flag, ordered by events alone.
struct UnitPrograms {
  struct Made {
    var flags: Program
    var events: Program
    var inputs: [UInt32]
    var outputs: [UInt32]

    var flagged: (program: Program, inputs: [UInt32], outputs: [UInt32]) {
      (flags, inputs, outputs)
    }
  }

  static func make(seed: UInt64) throws -> Made {
    let (flags, inputs, outputs) = try program(seed: seed, flags: true)
    return Made(
      flags: flags, events: try program(seed: seed, flags: false).program, inputs: inputs,
      outputs: outputs)
  }

  private static func program(seed: UInt64, flags: Bool) throws -> (
    program: Program, inputs: [UInt32], outputs: [UInt32]
  ) {
    var random = SeededGenerator(seed: seed ^ 0x0F1A_6000)
    let interlocks = (0..<Queue.count).map { _ in random.below(3) > 0 }
    var machine = TestMachine.small(
      depth: random.below(3) == 0 ? nil : 2 + random.below(8), eventsPerPair: nil,
      propagation: Int64(random.below(4)), interlocks: interlocks)
    machine.drawRules(&random)
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let chains = 2 + random.below(5)
    let (m, k, n) = (1 + random.below(6), 32, 8)
    let x = try p.tensor("x", .mxint8, rows: m, columns: 4 * k, role: .input)
    let w = try p.tensor(
      "w", .mxint8, rows: 4 * k, columns: n, axis: .alongRows, role: .input)
    let y = try p.tensor("y", .f32, slots: chains, rows: m, columns: n, role: .output)
    var a = try p.ring("a", in: L1.self, .mxint8, slots: 2, rows: m, columns: k)
    var b = try p.ring("b", in: L1.self, .mxint8, slots: 2, rows: k, columns: n, axis: .alongRows)
    var left = try p.ring(
      "left", in: Left.self, .mxint8, slots: 1 + random.below(2), rows: m, columns: k)
    var right = try p.ring(
      "right", in: Right.self, .mxint8, slots: 1 + random.below(2), rows: k, columns: n,
      axis: .alongRows)
    var acc = try p.ring(
      "acc", in: Acc.self, .bf16, slots: 1 + random.below(3), rows: m, columns: n)
    var out = try p.ring(
      "out", in: UB.self, .f32, slots: 1 + random.below(2), rows: m, columns: n)
    for chain in 0..<chains {
      let sum = acc.next()
      let length = 1 + random.below(4)
      for step in 0..<length {
        let (ax, bx) = (a.next(), b.next())
        let column = random.below(4) * k
        p.emit(LoadL1(ax.tile(), from: x.tile(column: column, columns: k)))
        p.emit(LoadL1(bx.tile(), from: w.tile(row: column, rows: k)))
        let (l, r) = (left.next(), right.next())
        p.emit(FeedLeft(l.tile(), from: ax.tile()))
        p.emit(FeedRight(r.tile(), from: bx.tile()))
        let unit: UnitFlag = !flags ? .none : step + 1 == length ? .release : .hold
        p.emit(
          Matmul(sum.tile(), left: l.tile(), right: r.tile(), accumulate: step > 0, unit: unit))
      }
      let target = y.tile(slot: chain)
      if random.below(2) == 0 {
        p.emit(DrainHBM(target, from: sum.tile(), unit: flags))
      } else {
        let o = out.next()
        p.emit(DrainUB(o.tile(), from: sum.tile(), unit: flags))
        p.emit(StoreHBM(target, from: o.tile()))
      }
    }
    var program = p.build()
    if flags {
      // The accumulators are handed over by flags alone.
      let ends = [EventEnd.queue(.matrix), .queue(.drain)]
      program.cores[0].removeAll {
        $0.kind.isOfEvent && ends.contains($0.event.source) && ends.contains($0.event.target)
      }
    }
    return (program, [x.id, w.id], [y.id])
  }
}
