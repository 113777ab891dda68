import Dispatch
import NPUSim
import Synchronization

/// Checks a text for many values of its parameters, or a kernel for many shapes, in one process.
///
/// The values are judged by as many threads as there are processors; what is reported does not depend
/// on how many.
public struct ValueSweep: Sendable {
  /// What the values are tried of.
  public enum Subject: Sendable {
    /// A text, read once and assembled for each value.
    case text(TextProgram)
    /// A kernel; the request's arguments hold for every value.
    case kernel(any Kernel.Type)
  }

  /// What became of a value.
  private enum Trial {
    case checked(Run)
    case failed([NPUError])
    case refused(NPUError)
    case unfinished(NPUError)
    /// The request is wrong, whatever the value.
    case unusable(NPUError)

    var outcome: Result<SweepReport.Outcome, NPUError> {
      switch self {
      case .checked(let run): .success(run.report.isClean ? .clean : .failing)
      case .failed: .success(.failing)
      case .refused: .success(.refused)
      case .unfinished: .success(.unfinished)
      case .unusable(let error): .failure(error)
      }
    }

    /// Micro-ops that were kept at a time.
    var microOps: Int {
      if case .checked(let run) = self { run.program.opCount } else { 0 }
    }
  }

  /// Values that are judged between two words of progress.
  private static let valuesAtATime = 64
  /// Micro-ops of a program from which on values are judged one after the other, for their memory.
  private static let largeProgram = 1 << 18

  private let subject: Subject
  private let values: ValueProduct
  private let request: RunRequest
  private let limits = TextLimits()

  /// - Throws: `.usage` where a list names no flag of the kernel that takes values, or a value that the
  ///   flag does not take; whether a text has its parameters, ``run(progress:)`` finds.
  public init(
    _ subject: Subject, _ values: ValueProduct, _ request: RunRequest
  ) throws(NPUError) {
    self.subject = subject
    self.values = values
    self.request = request
    if case .kernel(let type) = subject {
      for list in values.lists { try Self.requireFlag(list, of: type, request) }
    }
  }

  private static func requireFlag(
    _ list: ValueProduct.List, of kernel: any Kernel.Type, _ request: RunRequest
  ) throws(NPUError) {
    let arguments = [list.name: list.values.first ?? ""]
    guard let option = kernel.options.first(where: { $0.name == list.name }) else {
      // Says which flags there are.
      _ = try KernelArguments(kernel: kernel.name, options: kernel.options, values: arguments)
      return
    }
    if let single = request.arguments[list.name] {
      throw NPUError(
        .usage,
        "--\(list.name) \(single) and --shapes \(list.name)=\(list.text) contradict each other",
        hint: "drop one of the two")
    }
    for value in list.values {
      switch option.kind {
      // Whether a number is large enough, the kernel says: such a shape is refused.
      case .integer where Int(value) != nil: continue
      case .flag:
        throw NPUError(
          .usage, "--\(list.name) takes no value, so --shapes cannot try several",
          hint: "check once with --\(list.name) and once without")
      case .integer, .choice, .real:
        _ = try KernelArguments(
          kernel: kernel.name, options: kernel.options, values: [list.name: value])
      }
    }
  }

  /// Judges every value. `progress` hears how many have been.
  ///
  /// - Throws: `.usage` for a parameter that the text does not have or that takes no such number; the
  ///   reason of the first value where none has a program.
  public func run(progress: ((String) -> Void)? = nil) throws(NPUError) -> SweepReport {
    var outcomes: [SweepReport.Outcome] = []
    outcomes.reserveCapacity(values.count)
    var width = 1
    while outcomes.count < values.count {
      let first = outcomes.count
      let (batch, largest) = judge(first..<min(values.count, first + width))
      for outcome in batch { outcomes.append(try outcome.get()) }
      width = largest > Self.largeProgram ? 1 : Self.valuesAtATime
      progress?("checked \(outcomes.count) of \(values.count) values")
    }
    var report = SweepReport(
      kernel: request.kernel, machine: request.machine, failing: request.failing,
      values: values, outcomes: outcomes)
    progress?("trying the fixes")
    try explain(&report)
    return report
  }

  /// What a range of values comes to, and the micro-ops of the largest program among them.
  private func judge(
    _ range: Range<Int>
  ) -> (outcomes: [Result<SweepReport.Outcome, NPUError>], largest: Int) {
    let slots = Mutex(
      (
        outcomes: [Result<SweepReport.Outcome, NPUError>](
          repeating: .success(.clean), count: range.count), largest: 0
      ))
    DispatchQueue.concurrentPerform(iterations: range.count) { place in
      let trial = trial(range.lowerBound + place, .verdict)
      let outcome = trial.outcome
      let size = trial.microOps
      slots.withLock { slots in
        slots.outcomes[place] = outcome
        slots.largest = max(slots.largest, size)
      }
    }
    return slots.withLock { ($0.outcomes, $0.largest) }
  }

  /// Adds the reasons of the first values that are not clean; those values are tried again, as nothing
  /// but its outcome is kept of each.
  private func explain(_ report: inout SweepReport) throws(NPUError) {
    if let first = report.indices(.refused).first, case .refused(let error) = trial(first, .verdict)
    {
      report.refusal = error
      if !report.outcomes.contains(where: { $0 != .refused }) {
        throw NPUError(
          error.category, "\(values.words(first)): \(error.message)", at: error.location,
          hint: error.hint)
      }
    }
    if let first = report.indices(.unfinished).first,
      case .unfinished(let error) = trial(first, .verdict)
    {
      report.limit = error
    }
    guard let first = report.indices(.failing).first else { return }
    switch trial(first, .check) {
    case .checked(let run): report.failure = .findings(run.report)
    case .failed(let errors): report.failure = .errors(errors)
    case .refused, .unfinished, .unusable: break
    }
  }

  // MARK: One value

  private func trial(_ index: Int, _ plan: RunPlan) -> Trial {
    var request = request
    request.plan = plan
    let settings = Dictionary(values[index].map { ($0.name, $0.value) }) { first, _ in first }
    do throws(NPUError) {
      switch subject {
      case .kernel(let type):
        request.kernel = type.name
        request.arguments.merge(settings) { _, own in own }
        return .checked(try Runner.run(request))
      case .text(let text):
        let outcome = text.assemble(
          machine: request.machine, catalogue: .standard, parameters: settings, limits: limits)
        guard let assembly = outcome.value else { return Self.trial(of: outcome.errors) }
        return .checked(try Runner.run(request, text: TextKernel(assembly)))
      }
    } catch {
      switch error.category {
      case .limit: return .unfinished(error)
      case .internal: return .unusable(error)
      default: return .refused(error)
      }
    }
  }

  /// What errors of a text come to: of its parameters, of a limit, or of the value.
  private static func trial(of errors: [NPUError]) -> Trial {
    if let error = errors.first(where: { $0.category == .usage || $0.category == .internal }) {
      return .unusable(error)
    }
    if let error = errors.first, errors.allSatisfy({ $0.category == .limit }) {
      return .unfinished(error)
    }
    return .failed(errors)
  }
}
