import NPUSim
import Testing

/// What rows and the issue of a transfer cost.
@Suite struct RowPriceTests {
  /// A machine whose load path moves 8 bytes a cycle, in bursts of 32 bytes.
  private func machine(row: Int64, issue: Int64) -> MachineConfiguration {
    var machine = TestMachine.small(memory: 1 << 20)
    machine.hbm.rate = .unlimited
    machine.paths[TransferPath.hbmToUB.index].rowCycles = row
    machine.paths[TransferPath.hbmToUB.index].issueCycles = issue
    return machine
  }

  /// Cycles of the load queue for rows of a tensor of 64 FP32 columns.
  private func cycles(
    _ machine: MachineConfiguration, rows: Int, column: Int = 0, columns: Int
  ) throws -> Int64 {
    var p = ProgramBuilder(machine: machine, catalogue: .standard, isExplicit: true)
    let x = try p.tensor("x", .f32, rows: 32, columns: 64, role: .input)
    let ub = try p.buffer("t", in: UB.self, .f32, rows: rows, columns: columns)
    p.emit(
      LoadUB(ub.tile(), from: x.tile(row: 0, column: column, rows: rows, columns: columns)))
    return try TimingEngine.run(p.build()).cores[0].queues[Queue.load.index].busy
  }

  @Test func `a row takes its bytes or the fewest cycles of a row, whichever is more`() throws {
    // Rows of 32 bytes, one burst: 4 cycles each.
    for (row, cycles) in [(0, 40), (3, 40), (4, 40), (5, 50), (9, 90)] {
      let found = try self.cycles(machine(row: Int64(row), issue: 0), rows: 10, columns: 8)
      #expect(found == cycles, "row_cycles \(row)")
    }
  }

  @Test func `rows that touch are one row`() throws {
    #expect(try cycles(machine(row: 500, issue: 0), rows: 10, columns: 64) == 500)
    #expect(try cycles(machine(row: 100, issue: 0), rows: 10, columns: 64) == 320)
    #expect(try cycles(machine(row: 100, issue: 0), rows: 10, columns: 63) == 1_000)
  }

  @Test func `a row that crosses one more burst takes that one, too`() throws {
    // 32 bytes from byte 16 on: two bursts, 8 cycles.
    #expect(try cycles(machine(row: 7, issue: 0), rows: 10, column: 4, columns: 8) == 80)
    #expect(try cycles(machine(row: 9, issue: 0), rows: 10, column: 4, columns: 8) == 90)
  }

  @Test func `an issue comes before the rows, once`() throws {
    #expect(try cycles(machine(row: 0, issue: 13), rows: 10, columns: 8) == 53)
    #expect(try cycles(machine(row: 5, issue: 13), rows: 10, columns: 8) == 63)
  }

  @Test func `every path has both, off in the files of version 0_1_0`() throws {
    let edge = try Presets.named("edge")
    for path in TransferPath.allCases {
      for key in ["row_cycles", "issue_cycles"] {
        let row = edge.rows.first { $0.path == "paths.\(path.key).\(key)" }
        #expect(row?.value == "0" && row?.provenance.kind == .assumed)
      }
    }
  }
}
