import Foundation
import NPUSim
import Testing

/// Shorthands for texts in tests.
enum TextFixture {
  /// Whether everything is wanted: `NPUSIM_FULL=1`. Otherwise suites take a tenth.
  static let isFull = ProcessInfo.processInfo.environment["NPUSIM_FULL"] == "1"

  static func parse(_ text: String) -> TextOutcome<TextProgram> {
    TextProgram.parse(TextSource(file: "t.npu", text: text))
  }

  /// The program of a text, on a small machine.
  static func program(
    _ text: String, machine: MachineConfiguration = TestMachine.small(),
    parameters: [String: String] = [:], indices: [String: [Int32]] = [:]
  ) throws -> Program {
    try assembly(text, machine: machine, parameters: parameters, indices: indices).program
  }

  static func assembly(
    _ text: String, machine: MachineConfiguration = TestMachine.small(),
    parameters: [String: String] = [:], indices: [String: [Int32]] = [:]
  ) throws -> TextAssembly {
    try parse(text).get().assemble(
      machine: machine, catalogue: .standard, parameters: parameters, indices: indices
    ).get()
  }

  /// What is wrong with a text, as `line:column message`.
  static func errors(
    _ text: String, machine: MachineConfiguration = TestMachine.small(),
    parameters: [String: String] = [:]
  ) -> [String] {
    let parsed = parse(text)
    guard let program = parsed.value else { return parsed.errors.map(describe) }
    return program.assemble(machine: machine, catalogue: .standard, parameters: parameters)
      .errors.map(describe)
  }

  private static func describe(_ error: NPUError) -> String {
    let place = error.location.map { "\($0.line):\($0.column)" } ?? "nowhere"
    return "\(place) \(error.message)"
  }

  /// The micro-ops of a core as the reports print them, without their numbers.
  static func lines(_ program: Program, core: Int = 0) -> [String] {
    program.cores[core].indices.map { op in
      let line = program.line(.init(core: core, op: op))
      return String(line.drop { $0 != "#" }.drop { $0 != " " }.dropFirst())
    }
  }

  /// Declarations for programs in tests.
  static let head = """
    .input x bf16 [16, 64]
    .output y bf16 [16, 64]
    .buf a ub bf16 [4, 64] {slots=2}
    .buf b ub bf16 [4, 64] {slots=2}

    """

  static func format(_ text: String) throws -> String {
    String(decoding: try parse(text).get().formatted(), as: UTF8.self)
  }
}
