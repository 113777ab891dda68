import NPUKernels
import NPUSim
import Testing

/// A wrong slot of a ring: the page names it, and no fix is offered as a repair of what is computed.
@Suite struct SlotMutantTests {
  static let setups = MutationSetup.all.filter {
    ["gemm", "flash_attention"].contains($0.kernel) && $0.cores == 1
  }

  /// A micro-op that moves data, one of whose ring operands takes the slot before.
  private struct Mutant {
    var program: Program
    var buffer: String
    var slots: Set<Int32>
    var description: String

    /// Whether some finding names the slot that is meant, or the one that is taken.
    func isNamed(by findings: [Finding]) -> Bool {
      let said = findings.map { "\($0.message) \($0.likelyCause ?? "") \($0.fix)" }.joined()
      return slots.contains {
        said.contains("slot \($0) of \(buffer) ") || said.contains("\(buffer)[\($0)]")
      }
    }
  }

  private func mutants(of program: Program) -> [Mutant] {
    var result: [Mutant] = []
    for (op, record) in program.cores[0].enumerated() where record.kind == .data {
      guard [.load, .feed, .drain].contains(record.queue) else { continue }
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        var tile = program.tiles[Int(record.words[k])]
        let buffer = program.buffers[Int(tile.buffer)]
        guard buffer.space.isOnChip, buffer.slots > 1 else { continue }
        let slot = tile.slot
        tile.slot = (slot + Int32(buffer.slots) - 1) % Int32(buffer.slots)
        var mutant = program
        var changed = record
        changed.words[k] = UInt32(mutant.tiles.count)
        mutant.tiles.append(tile)
        mutant.cores[0][op] = changed
        result.append(
          Mutant(
            program: mutant, buffer: buffer.name, slots: [slot, tile.slot],
            description: program.line(.init(core: 0, op: op)) + " operand \(k)"))
      }
    }
    return result
  }

  /// The elements of rings that core 0 fills for nothing, judged one by one in the order of the
  /// program: written, and not read before they are written again or the program ends.
  private func wastedElements(_ program: Program) -> Int {
    var isRead: [Element: Bool] = [:]
    var wasted = 0
    for record in program.cores[0] {
      for access in [Access.read, .write] {
        for k in 0..<Int(record.operandCount) where record.access(k).contains(access) {
          for element in elements(program.tiles[Int(record.words[k])], program) {
            if access == .write {
              if isRead[element] == false { wasted += 1 }
              isRead[element] = false
            } else if isRead[element] != nil {
              isRead[element] = true
            }
          }
        }
      }
    }
    return wasted + isRead.values.count { !$0 }
  }

  private struct Element: Hashable {
    var buffer: UInt32
    var slot: Int32
    var row: Int32
    var column: Int32
  }

  private func elements(_ tile: TileRef, _ program: Program) -> [Element] {
    let buffer = program.buffers[Int(tile.buffer)]
    guard buffer.space.isOnChip, buffer.slots > 1 else { return [] }
    return (tile.row..<tile.row + tile.rows).flatMap { row in
      (tile.column..<tile.column + tile.columns).map {
        Element(buffer: tile.buffer, slot: tile.slot, row: row, column: $0)
      }
    }
  }

  @Test(arguments: setups)
  func `a move to or from the slot before that races is named by its slot`(
    setup: MutationSetup
  ) throws {
    let program = try setup.program()
    var tried = 0
    let all = mutants(of: program)
    let stride = max(1, all.count / (TestScale.isFull ? 400 : 25))
    for (index, mutant) in all.enumerated() where index % stride == 0 {
      let findings = Checker.check(mutant.program).findings
      if findings.isEmpty { continue }
      #expect(
        mutant.isNamed(by: findings),
        "\(setup): \(mutant.description): \(findings.map(\.message))")
      tried += 1
      for finding in findings where !finding.pairs.isEmpty && finding.likelyCause != nil {
        #expect(finding.fix.hasPrefix("once every slot is the one that is meant: "))
      }
    }
    #expect(tried > 5, "\(setup)")
  }

  /// Where every element that is filled is read, it is the program of someone who means to read a slot
  /// twice, and only words tell.
  @Test(arguments: setups)
  func `one that no race shows is named by lint, unless all is read or no word changes`(
    setup: MutationSetup
  ) throws {
    let program = try setup.program()
    let bench = try MutationBench(program, inputs: setup.inputs())
    let wasted = wastedElements(program)
    var named = 0
    for mutant in mutants(of: program) {
      guard Checker.check(mutant.program).findings.isEmpty else { continue }
      let findings = Checker.check(mutant.program, CheckOptions(lints: true)).findings
      if mutant.isNamed(by: findings.filter { $0.code == .P008 }) {
        named += 1
      } else if wastedElements(mutant.program) > wasted {
        #expect(
          try bench.isUnchanged(mutant.program),
          "\(setup): \(mutant.description): \(findings.map(\.message))")
      }
    }
    #expect(named > 0, "\(setup)")
  }

  @Test(arguments: setups)
  func `a lost event is not blamed on a slot`(setup: MutationSetup) throws {
    let program = try setup.program()
    let pairs = program.eventPairs
    let stride = max(1, pairs.count / (TestScale.isFull ? 200 : 20))
    for (index, pair) in pairs.enumerated() where index % stride == 0 {
      let check = Checker.check(program.applying([.remove(core: 0, ops: [pair.set, pair.wait])]))
      #expect(check.findings.allSatisfy { $0.likelyCause == nil }, "\(setup), event \(index)")
    }
  }

  @Test func `the slot that is loaded and never read is the likely cause of the race`() throws {
    let page = try DiagnosisPage(DiagnosisPage.text("wrong-slot"))
    #expect(page.findings.count == 1)
    let cause = try #require(page.findings[0].likelyCause)
    #expect(cause.hasPrefix("slot 1 of input is written by load.l1 of line "))
    #expect(cause.contains("and never read; feed.left of line 21 reads slot 0"))
    #expect(page.page.contains("it mends the order, and says nothing of the meaning"))
    #expect(page.findings[0].fix.hasPrefix("once every slot is the one that is meant: "))
  }

  /// Two rings; the second half of the first turn is taken from the other slot.
  private static let halves = """
    .input x bf16 [8, 64]
    .output y bf16 [8, 64]
    .buf a ub bf16 [8, 64] {slots=2}
    .buf b ub bf16 [8, 64] {slots=2}
    .loop i 0..<4
    load.ub a[i % 2] <- x wait store:i % 2 if i > 1 set vector:i % 2
    vector.exp b[i % 2][0 +: 4, :] <- a[i % 2][0 +: 4, :] wait load:i % 2 if i EVENT
    vector.exp b[i % 2][4 +: 4, :] <- a[SLOT][4 +: 4, :] set store:i % 2
    store.hbm y <- b[i % 2] wait vector:i % 2 set load:i % 2 if i < 2
    .end
    """

  @Test func `a slot that is read in part is named as that, and a ring without a race is not`()
    throws
  {
    func page(slot: String, isOrdered: Bool) throws -> DiagnosisPage {
      try DiagnosisPage(
        Self.halves.replacing("SLOT", with: slot)
          .replacing("EVENT", with: isOrdered ? ">= 0" : "> 0"))
    }
    #expect(try page(slot: "i % 2", isOrdered: true).findings.isEmpty)
    let lost = try page(slot: "i % 2", isOrdered: false).findings
    #expect(!lost.isEmpty && lost.allSatisfy { $0.likelyCause == nil })
    let wrong = try page(slot: "(i + i / 3) % 2", isOrdered: false).findings
    let causes = wrong.compactMap(\.likelyCause)
    let partly = "slot 1 of a is written by load.ub of line 6 and not read in whole"
    #expect(causes.contains { $0.hasPrefix(partly) }, "\(wrong.map(\.message)) \(causes)")
  }

  @Test func `in a ring the fix of an unread result is not to remove it`() throws {
    let text = """
      .input x bf16 [8, 64]
      .output y bf16 [4, 64]
      .buf a ub bf16 [4, 64] {slots=SLOTS}
      .buf b ub bf16 [4, 64]
      load.ub a[0] <- x[0 +: 4, :]
      load.ub LOST <- x[4 +: 4, :]
      set load->vector:0
      wait load->vector:0
      vector.exp b <- a[0]
      set vector->store:0
      wait vector->store:0
      store.hbm y <- b
      """
    let ring = text.replacing("SLOTS", with: "2").replacing("LOST", with: "a[1]")
    // Waste is no fault: nothing is said of it unless lint is asked for.
    #expect(try DiagnosisPage(ring).findings.isEmpty)
    let unread = try #require(
      DiagnosisPage(ring, lints: true).findings.first { $0.code == .P008 })
    #expect(unread.severity == .lint && unread.fix.hasPrefix("read slot 1 of a "))
    #expect(!unread.fix.contains("remove") && unread.edits.isEmpty && unread.trial == nil)
    // A buffer of its own has no other slot that could be meant.
    let single = text.replacing("SLOTS", with: "1").replacing("LOST", with: "c")
      .replacing(".buf b", with: ".buf c ub bf16 [4, 64]\n.buf b")
    #expect(try DiagnosisPage(single).findings.isEmpty)
    let lint = try #require(
      DiagnosisPage(single, lints: true).findings.first { $0.code == .P008 })
    #expect(lint.fix.hasPrefix("remove the micro-op") && lint.edits.count == 1)
  }
}
