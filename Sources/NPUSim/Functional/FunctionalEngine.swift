import Dispatch

/// Executes the values of a program. It knows nothing of time.
///
/// Each queue of a core keeps its order; a wait is ready once its matching set has executed; among
/// ready micro-ops the one with the lowest index runs first. Cores join at barriers over the cores
/// and are otherwise independent.
public struct FunctionalEngine {
  /// Below this many micro-ops a core, threads cost more than they bring.
  private static let concurrentMinimum = 16

  /// Executes a whole program on `state`, which holds its input tensors and receives its outputs.
  ///
  /// - Throws: `.program` when the program has a defect, when `state` was made for another one, when
  ///   it deadlocks (every blocked queue is named), or when a byte is read that was never written
  ///   (the reader, tile and address are named). Memory then holds what was executed so far.
  public static func run(
    _ program: Program, state: MachineState, options: FunctionalOptions = .init()
  ) throws(NPUError) -> FunctionalResult {
    try program.checkExecutable(state)
    let shared = try ExecutionTables(program, progress: options.progress)
    let sharesProducts =
      options.runsCoresConcurrently && program.cores.count <= Processors.count / 2
    var runs = program.cores.indices.map {
      CoreRun(core: $0, state: state, shared: shared, sharesProducts: sharesProducts)
    }
    defer { for run in runs { run.datapath.shared?.close() } }
    let isConcurrent =
      options.runsCoresConcurrently && runs.count > 1
      && program.opCount >= runs.count * concurrentMinimum
    var joins = 0
    while true {
      advance(&runs, shared, isConcurrent: isConcurrent)
      exchange(&runs, shared)
      if let failure = runs.lazy.compactMap(\.failure).first { throw failure }
      if let stuck = runs.lazy.compactMap({ $0.stuck(program) }).first { throw stuck }
      let waiting = runs.filter { $0.isAtBarrier(program) }.map(\.core)
      if waiting.isEmpty { break }
      joins += 1
      guard waiting.count == runs.count else {
        throw unjoined(waiting, runs: runs, joins: joins)
      }
      for index in runs.indices { runs[index].passBarrier() }
    }
    return FunctionalResult(
      taps: shared.recorder.tensorsSoFar(), numerics: NumericReport(runs.map(\.tally)))
  }

  /// Hands sets over to the cores that wait for them, and lets these go on, the lowest first.
  private static func exchange(_ runs: inout [CoreRun], _ shared: ExecutionTables) {
    var next: Int?
    repeat {
      for index in runs.indices {
        for event in runs[index].takeFired() where runs.indices.contains(event.waiter) {
          runs[event.waiter].receive(event)
        }
      }
      next = runs.firstIndex { $0.canGoOn(shared.program) }
      if let next { runs[next].advance(shared) }
    } while next != nil
  }

  private static func advance(
    _ runs: inout [CoreRun], _ shared: ExecutionTables, isConcurrent: Bool
  ) {
    guard isConcurrent else {
      for index in runs.indices { runs[index].advance(shared) }
      return
    }
    // The planes that cores share mark written bytes atomically; all else is a core's own.
    nonisolated(unsafe) let shared = shared
    runs.withUnsafeMutableBufferPointer { runs in
      nonisolated(unsafe) let runs = runs
      DispatchQueue.concurrentPerform(iterations: runs.count) { index in
        runs[index].advance(shared)
      }
    }
  }

  private static func unjoined(_ waiting: [Int], runs: [CoreRun], joins: Int) -> NPUError {
    let ended = runs.map(\.core).filter { !waiting.contains($0) }
    return NPUError(
      .program,
      "deadlock: barrier \(joins) over the cores is reached by "
        + "\(Self.names(waiting)), but \(Self.names(ended)) ended before it",
      hint: "give every core the same number of barriers over the cores")
  }

  private static func names(_ cores: [Int]) -> String {
    let shown = cores.prefix(8).map(String.init).joined(separator: ", ")
    let more = cores.count > 8 ? " and \(cores.count - 8) more" : ""
    return (cores.count == 1 ? "core " : "cores ") + shown + more
  }
}
