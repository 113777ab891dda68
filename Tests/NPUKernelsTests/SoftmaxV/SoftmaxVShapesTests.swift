import NPUKernels
import NPUSim
import Testing

/// softmax_v over shapes × machines × schedules: what holds must not depend on any of them.
@Suite struct SoftmaxVShapesTests {
  static let hands = 8
  static let seed: UInt64 = 20_260_117

  /// One shape's inputs and reference under the settings of a machine.
  private struct Reference {
    var inputs: [String: TensorValue]
    var steps: SoftmaxVSteps

    init(_ shape: SoftmaxVShape, on machine: MachineConfiguration) throws(NPUError) {
      inputs = try shape.inputs(seed: 11)
      steps = try SoftmaxVSteps(
        reference: shape.kernel(on: machine), inputs: inputs, machine: machine)
    }
  }

  @Test(arguments: 0..<hands)
  func `every schedule on every machine is clean, makes the reference's words, keeps the bounds`(
    hand: Int
  ) throws {
    let machines = try SoftmaxVSetups.machines()
    var random = SeededGenerator(seed: Self.seed)
    for (index, shape) in SoftmaxVSetups.shapes.enumerated() {
      var references: [DatapathSettings: Reference] = [:]
      for machine in machines {
        for schedule in SoftmaxVSetups.schedules {
          let isChosen = random.below(10) < (TestScale.isFull ? 4 : 1)
          guard isChosen, index % Self.hands == hand else { continue }
          let place = "\(shape), \(machine.name), \(schedule ?? "own schedule"), seed \(Self.seed)"
          do {
            guard let kernel = try Self.fitting(shape, machine, schedule) else { continue }
            let settings = DatapathSettings(machine)
            let reference: Reference
            if let known = references[settings] {
              reference = known
            } else {
              reference = try Reference(shape, on: machine)
              references[settings] = reference
            }
            for problem in try Self.problems(kernel, reference) {
              Issue.record("\(place): \(problem)")
            }
          } catch { Issue.record("\(place): \(error)") }
        }
      }
    }
  }

  /// The kernel, or `nil` where the shape or the schedule does not fit the machine. The machines with
  /// real memories take every shape under the schedule that is chosen by itself.
  private static func fitting(
    _ shape: SoftmaxVShape, _ machine: MachineConfiguration, _ schedule: String?
  ) throws(NPUError) -> SoftmaxV? {
    do {
      return try shape.kernel(on: machine, schedule: schedule)
    } catch {
      if machine.name == "tiny" || schedule != nil, [.program, .usage].contains(error.category) {
        return nil
      }
      throw error
    }
  }

  private static func problems(_ kernel: SoftmaxV, _ reference: Reference) throws(NPUError)
    -> [String]
  {
    let program = try kernel.program()
    var problems = Checker.check(program, CheckOptions(lints: true)).findings
      .filter { $0.code.isSlip(as: $0.severity) }
      .filter { $0.severity == .error || $0.code == .P001 }
      .map { "\($0.code.rawValue) \($0.message)" }
    if !problems.isEmpty { return problems }
    let made = try SoftmaxVSteps(executing: program, of: kernel, inputs: reference.inputs)
    if let difference = made.difference(to: reference.steps) {
      problems.append("program and reference differ: \(difference)")
    }
    let bounds = try Bounds.of(program, compulsory: kernel.compulsory)
    let cycles = try TimingEngine.run(program).cycles
    if cycles < max(bounds.attainable, bounds.criticalPath) || cycles > bounds.serialSum {
      problems.append("\(cycles) cycles are outside \(bounds)")
    }
    if program.machine.name == "ideal" && cycles != bounds.criticalPath {
      problems.append("\(cycles) cycles, and the critical path is \(bounds.criticalPath)")
    }
    return problems
  }

  @Test(arguments: AccumulatorMode.allCases, SFUMode.allCases)
  func `results lie within the derived bound of FP64`(
    accumulator: AccumulatorMode, mode: SFUMode
  ) throws {
    var machine = try Presets.named("edge").configuration
    machine.matrix.accumulator = accumulator
    machine.sfuMode = mode
    for shape in SoftmaxVSetups.shapes {
      let kernel = try shape.kernel(on: machine)
      let inputs = try shape.inputs(seed: 12)
      let reference = try kernel.reference(inputs, settings: DatapathSettings(machine))
      var random = SeededGenerator(seed: Self.seed)
      var tally = ErrorTally(kernel.tensors)
      for unit in 0..<kernel.referenceUnits
      where TestScale.isFull || unit == 0 || random.below(10) == 0 {
        let evaluated = reference.evaluate(unit: unit)
        ReferenceErrors.take(evaluated, kernel, .own, &tally)
      }
      #expect(tally.errors.count == 6)
      for error in tally.errors {
        // Every element has a bound, and lies within it.
        #expect(error.beyondBound == 0 && error.nonFinite == 0, "\(shape): \(error)")
        #expect(error.worstOfBound != nil, "\(shape): \(error)")
      }
    }
  }

  @Test func `each schedule fits some shapes of each machine that is large enough`() throws {
    let needed = TestScale.isFull ? 20 : 2
    // The small ones first.
    let shapes = SoftmaxVSetups.shapes.sorted { $0.work < $1.work }
    for machine in try SoftmaxVSetups.machines() where machine.name != "tiny" {
      for schedule in SoftmaxVSetups.schedules {
        var fits = 0
        for shape in shapes where fits < needed {
          if try Self.fitting(shape, machine, schedule) != nil { fits += 1 }
        }
        #expect(fits >= needed, "\(machine.name), \(schedule ?? "own schedule")")
      }
    }
    let tiny = try Presets.named("tiny").configuration
    let small = try SoftmaxVSetups.shapes.count { try Self.fitting($0, tiny, nil) != nil }
    #expect(small >= 10)
  }

  @Test(arguments: [1, 4, 8, 31, 32, 33, 64, 128])
  func `a shape that no schedule fits is refused with what does not fit`(headDim: Int) throws {
    let tiny = try Presets.named("tiny").configuration
    let shape = SoftmaxVShape(kv: 70, heads: 3, headDim: headDim)
    if let kernel = try Self.fitting(shape, tiny, nil) {
      #expect(try kernel.program().defects.isEmpty)
    } else {
      let error = #expect(throws: NPUError.self) { try shape.kernel(on: tiny) }
      #expect(error?.message.contains("does not fit tiny") == true)
      #expect(error?.message.contains("bytes, needed") == true)
    }
  }
}
