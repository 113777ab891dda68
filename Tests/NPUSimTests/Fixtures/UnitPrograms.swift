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
      let sum = acc.acquire()
      let length = 1 + random.below(4)
      var last: Token?
      for step in 0..<length {
        let (ax, bx) = (a.acquire(), b.acquire())
        let column = random.below(4) * k
        let loads = [
          p.emit(LoadL1(ax.tile(), from: x.tile(column: column, columns: k)), after: ax.free),
          p.emit(LoadL1(bx.tile(), from: w.tile(row: column, rows: k)), after: bx.free),
        ]
        let (l, r) = (left.acquire(), right.acquire())
        let feeds = [
          p.emit(FeedLeft(l.tile(), from: ax.tile()), after: l.free + loads),
          p.emit(FeedRight(r.tile(), from: bx.tile()), after: r.free + loads),
        ]
        a.release(ax, after: feeds)
        b.release(bx, after: feeds)
        let order = flags ? [] : sum.free + (last.map { [$0] } ?? [])
        let unit: UnitFlag = !flags ? .none : step + 1 == length ? .release : .hold
        let product = p.emit(
          Matmul(
            sum.tile(), left: l.tile(), right: r.tile(), accumulate: step > 0, unit: unit),
          after: feeds + order)
        left.release(l, after: product)
        right.release(r, after: product)
        last = product
      }
      let order = flags ? [] : last.map { [$0] } ?? []
      let target = y.tile(slot: chain)
      if random.below(2) == 0 {
        acc.release(
          sum, after: p.emit(DrainHBM(target, from: sum.tile(), unit: flags), after: order))
      } else {
        let o = out.acquire()
        let drained = p.emit(
          DrainUB(o.tile(), from: sum.tile(), unit: flags), after: o.free + order)
        acc.release(sum, after: drained)
        out.release(o, after: p.emit(StoreHBM(target, from: o.tile()), after: drained))
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
