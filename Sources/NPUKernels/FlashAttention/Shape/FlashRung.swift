import NPUSim

/// The rungs of ``FlashAttention``: programs for the same attention, one idea each.
enum FlashRung: String, Sendable, CaseIterable {
  /// One head of dimension 1, elementwise on the vector unit: the recurrence by itself.
  case scalar
  /// Scores and probabilities written out and read back.
  case unfused
  /// The online softmax, one stage, one query tile at a time.
  case online
  /// The online softmax with loads, matrix and vector unit overlapped.
  case pipelined
  /// Few queries: rows of many heads share a score tile, keys and values stream; any cache format,
  /// paged or not, split or not.
  case decode
  /// One query a head: the kv tiles of a head are dealt out over all cores, which meet twice.
  case spread
  /// Decoding from an FP8 cache with the requantise composed of decode, scaling and encode.
  case composed

  /// The program of the rung.
  var program: any FlashProgram.Type {
    switch self {
    case .scalar: FlashScalar.self
    case .unfused: FlashUnfused.self
    case .online: FlashOnline.self
    case .pipelined: FlashPipelined.self
    case .decode: FlashDecode.self
    case .spread: FlashSpread.self
    case .composed: FlashComposed.self
    }
  }

  /// Whether the softmax is taken over whole rows that were written out, by the unfused definition.
  var isUnfused: Bool { self == .unfused }

  /// The rung that suits a shape: decoding for few queries and for what only it can read, spread over the
  /// cores where there are more of them than kv heads and that is faster.
  static func suited(to shape: FlashShape, on machine: MachineConfiguration) -> FlashRung {
    if FlashSpread.isFaster(shape, machine) { return .spread }
    let needsDecode = shape.splits > 1 || shape.page != nil
    return needsDecode || shape.queries < 32 ? .decode : .pipelined
  }
}

/// A rung's program: which schedules it may have, and how it is emitted.
protocol FlashProgram {
  /// Schedules of a shape, the best first. What follows from other fields may still be open.
  static func candidates(_ shape: FlashShape, machine: MachineConfiguration) -> [FlashSchedule]

  /// Those of them that fit and are worth a trial, with what follows.
  static func candidates(for problem: FlashSchedule.Problem) -> [FlashSchedule]

  /// What a core keeps on chip.
  static func layout(
    _ plan: FlashSchedule, shape: FlashShape, machine: MachineConfiguration
  ) -> any FlashLayout

  init(_ kernel: FlashAttention)

  /// Emits the programs of all cores.
  func emit(_ tensors: FlashTensors, into p: inout ProgramBuilder) throws(NPUError)
}

extension FlashProgram {
  /// The first candidate that fits.
  static func candidates(for problem: FlashSchedule.Problem) -> [FlashSchedule] {
    for var plan in candidates(problem.shape, machine: problem.machine) {
      plan.follow(problem)
      if plan.fits(problem) { return [plan] }
    }
    return []
  }
}
