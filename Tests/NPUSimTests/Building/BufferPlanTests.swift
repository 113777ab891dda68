import NPUSim
import Testing

/// A plan is measured as it is allocated.
@Suite struct BufferPlanTests {
  private static let formats: [ElementFormat] = [.bf16, .f32, .mxint8, .e4m3fn]
  private static let spaces: [Space] = [.l1, .left, .right, .acc, .ub]

  private static func plan(seed: UInt64) -> BufferPlan {
    var random = SeededGenerator(seed: seed)
    func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
    return BufferPlan(
      (0..<1 + below(9)).map { number in
        PlannedBuffer(
          "b\(number)", spaces[below(5)], formats[below(4)], slots: 1 + below(3),
          rows: 1 + below(40), columns: 1 + below(80),
          axis: below(2) == 0 ? .alongColumns : .alongRows)
      })
  }

  private static func program(
    _ plan: BufferPlan, on machine: MachineConfiguration
  ) throws -> Program {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    _ = try p.allocate(plan)
    return p.build()
  }

  @Test func `a plan overflows a memory exactly where its allocation does, by the same bytes`()
    throws
  {
    let machine = TestMachine.small()
    for seed in 0..<200 {
      let plan = Self.plan(seed: UInt64(seed))
      let program = try Self.program(plan, on: machine)
      for space in Self.spaces {
        // The last byte of any buffer, by where each was placed.
        let ends = program.buffers.filter { $0.space == space }.flatMap {
          [
            $0.base + $0.payloadExtent,
            space.hasScaleSideArray || $0.format != .mxint8 ? 0 : $0.scaleBase + $0.scaleExtent,
          ]
        }
        let used = ends.max() ?? 0
        #expect(plan.bytes(of: space, on: machine) == used, "seed \(seed), \(space.name)")
        guard used > 0 else { continue }
        for (holds, fits) in [(used, true), (used - 1, false)] {
          var roomy = machine
          for other in Self.spaces { roomy.memories[other.index].bytes = nil }
          roomy.memories[space.index].bytes = holds
          let overflow = plan.overflow(on: roomy)
          #expect((overflow == nil) == fits, "seed \(seed), \(space.name)")
          #expect(try Self.program(plan, on: roomy).defects.isEmpty == fits)
          if let overflow {
            #expect(overflow.space == space && overflow.needed == used)
            #expect("\(overflow)" == "\(space.name) holds \(holds) bytes, needed \(used)")
          }
        }
      }
    }
  }

  @Test func `sizes that cannot be represented are measured, and refused when allocated`() throws {
    let machine = TestMachine.small()
    let sizes = [1 << 30, 65_535, Int.max, -1]
    for slots in sizes {
      for rows in sizes {
        for columns in sizes {
          for format in Self.formats {
            let plan = BufferPlan([
              PlannedBuffer(
                "a", .ub, format, slots: slots, rows: rows, columns: columns, axis: .alongRows)
            ])
            let overflow = try #require(plan.overflow(on: machine))
            guard overflow.needed == nil else { continue }
            #expect("\(overflow)".hasSuffix("needed more than 2^57"))
            let error = #expect(throws: NPUError.self) { try Self.program(plan, on: machine) }
            #expect(error?.message.contains("is not a size that can be represented") == true)
          }
        }
      }
    }
  }

  @Test func `many of the largest buffers are counted without a trap`() throws {
    var machine = TestMachine.small()
    let list = (0..<200).map { number in
      PlannedBuffer("b\(number)", .ub, .f32, slots: 1, rows: 1 << 26, columns: 1 << 28)
    }
    #expect(BufferPlan(list).overflow(on: machine) != nil)
    machine.memories[Space.ub.index].bytes = nil
    #expect(BufferPlan(list).overflow(on: machine) == nil)
    #expect(try Self.program(BufferPlan(list), on: machine).buffers.count == 200)
  }

  @Test func `a buffer that the plan does not list is an internal error`() throws {
    var p = ProgramBuilder(machine: TestMachine.small(), catalogue: .standard)
    let memory = try p.allocate(
      BufferPlan([PlannedBuffer("a", .ub, .bf16, slots: 2, rows: 3, columns: 4)]))
    #expect(try memory.ring("a", in: UB.self).buffer.slots == 2)
    for name in ["a", "b"] {
      let error = #expect(throws: NPUError.self) { try memory.buffer(name, in: L1.self) }
      #expect(error?.category == .internal)
    }
  }
}
