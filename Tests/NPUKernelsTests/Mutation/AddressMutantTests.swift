import NPUKernels
import NPUSim
import Testing

/// Kernels with one on-chip buffer 32 bytes from its place: over a neighbour, over what another
/// buffer still holds, over operands of its own micro-ops.
@Suite struct AddressMutantTests {
  /// Randomised timings under which an unreported mutant is executed.
  private static let timings: UInt64 = TestScale.isFull ? 6 : 1

  @Test(arguments: MutationSetup.all)
  func `a buffer in a wrong place is reported, or no word changes`(setup: MutationSetup) throws {
    let program = try setup.program()
    let bench = try MutationBench(program, inputs: setup.inputs())
    var tried = 0
    for index in program.buffers.indices where program.buffers[index].space != .hbm {
      for offset in [-32, 32] {
        guard let mutant = Self.shifted(program, index, by: offset) else { continue }
        tried += 1
        guard Checker.check(mutant).isClean else { continue }
        let name = program.buffers[index].name
        #expect(try bench.isUnchanged(mutant), "\(setup): \(name) by \(offset)")
        for timing in 0..<Self.timings {
          #expect(
            try bench.isUnchanged(mutant, timing: timing),
            "\(setup): \(name) by \(offset), timing \(timing)")
        }
      }
    }
    #expect(tried > 0, "\(setup)")
  }

  /// Most neighbours that a shift reaches are padding, or bytes that nobody needs any more: 30 % are
  /// reported.
  @Test func `of the shifts that reach over another buffer, a fifth and more are reported`() throws
  {
    var (over, reported) = (0, 0)
    for setup in MutationSetup.all {
      let program = try setup.program()
      for index in program.buffers.indices where program.buffers[index].space != .hbm {
        for offset in [-32, 32] {
          guard let mutant = Self.shifted(program, index, by: offset),
            Self.reachesOver(mutant, index)
          else { continue }
          over += 1
          if !Checker.check(mutant).isClean { reported += 1 }
        }
      }
    }
    #expect(over > 100 && 5 * reported >= over, "\(reported) of \(over)")
  }

  /// Whether a buffer shares payload bytes with another one of its memory.
  private static func reachesOver(_ program: Program, _ index: Int) -> Bool {
    let moved = program.buffers[index]
    return program.buffers.indices.contains { other in
      let buffer = program.buffers[other]
      return other != index && buffer.space == moved.space && buffer.core == moved.core
        && buffer.base < moved.base + moved.payloadExtent
        && moved.base < buffer.base + buffer.payloadExtent
    }
  }

  /// The program with a buffer elsewhere, its scales in a side array along with it.
  private static func shifted(_ program: Program, _ index: Int, by offset: Int) -> Program? {
    var mutant = program
    mutant.buffers[index].base += offset
    guard mutant.buffers[index].base >= 0 else { return nil }
    if mutant.buffers[index].space.hasScaleSideArray {
      mutant.buffers[index].scaleBase += offset / 32
    }
    return mutant
  }
}
