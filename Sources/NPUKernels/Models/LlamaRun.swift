import NPUSim

/// Runs a Llama launch by launch on one machine: a prompt in one pass, then a token at a time.
///
/// Every launch is proved and timed, and its words are compared with its reference on the inputs that it
/// got. So the model is right by induction, and the first launch that is wrong names itself. Launches
/// start idle: the cycles of a pass are the sum of those of its launches.
public struct LlamaRun {
  /// What one pass took, summed by stage.
  public struct Pass: Sendable {
    /// Position of its first token, and how many it has.
    public let first: Int
    public let count: Int
    public fileprivate(set) var rows: [Row]
    /// Output elements that were compared, and how many there are.
    public fileprivate(set) var checked = 0
    public fileprivate(set) var total = 0

    public var cycles: Int64 { rows.reduce(0) { $0.addedClamped(to: $1.cycles) } }
    /// The fewest cycles that its launches could take, each by itself.
    public var bound: Int64 { rows.reduce(0) { $0.addedClamped(to: $1.bound) } }
    /// Bytes that cross HBM, whole bursts.
    public var bytes: Int64 { rows.reduce(0) { $0.addedClamped(to: $1.bytes) } }
    public var launches: Int { rows.reduce(0) { $0 + $1.launches } }
  }

  /// What the last token of a pass leads to.
  public struct Answer: Sendable {
    /// The words of the logits, BF16, little endian.
    public let logits: [UInt8]
    /// The first token whose logit is the largest.
    public let token: Int
    /// How many tokens have that logit.
    public let ties: Int
  }

  /// The launches of one stage.
  public struct Row: Sendable {
    public let stage: LlamaStage
    public fileprivate(set) var launches = 0
    public fileprivate(set) var cycles: Int64 = 0
    public fileprivate(set) var bound: Int64 = 0
    /// What bounds the launch with the largest bound.
    public fileprivate(set) var resource = Resource.hbm
    public fileprivate(set) var bytes: Int64 = 0
    fileprivate var largest: Int64 = -1
  }

  /// What a run is asked for.
  public struct Request: Sendable {
    public var model: Model
    public var isTied: Bool
    public var options: LlamaOptions
    public var machine: MachineConfiguration
    public var plan: Launcher.Plan
    /// Tokens that the caches hold, at most.
    public var context: Int
    /// The most tokens of a pass.
    public var rows: Int
    /// Whether each layer is launched by itself where no words are made, though all are alike.
    public var isUnrolled = false

    public init(
      _ model: Model, isTied: Bool, _ options: LlamaOptions, on machine: MachineConfiguration,
      _ plan: Launcher.Plan, context: Int, rows: Int
    ) {
      self.model = model
      self.isTied = isTied
      self.options = options
      self.machine = machine
      self.plan = plan
      self.context = context
      self.rows = rows
    }
  }

  public let request: Request
  let memory: TensorMemory
  let graph: LlamaGraph
  private var launcher: Launcher
  /// Tokens that the caches hold.
  public internal(set) var position = 0
  /// The token behind them, where words were made.
  public internal(set) var next: Int?
  /// The checksum of the weights.
  private(set) var weights = ""
  private var hasFrequencies = false
  /// What launches left, where somebody asks for it.
  private(set) var record: LlamaRecord?
  /// Whether words are kept for ``dump()`` and ``comparison()``; from then on.
  public var isRecording: Bool {
    get { record != nil }
    set { record = newValue ? record ?? LlamaRecord() : nil }
  }
  var expectation: ExpectationPlan?

  /// A model without weights yet.
  ///
  /// - Throws: `.usage` for pages that do not hold the context, and for caches that an unfused attention
  ///   does not read.
  public init(_ request: Request) throws(NPUError) {
    self.request = request
    let options = request.options
    if options.isUnfused, options.cache != .bf16 || options.paging != nil {
      throw NPUError(
        .usage,
        "--walk with \(options.paging == nil ? "--kv-format \(options.cache.rawValue)" : "--page")"
          + ": scores and probabilities are written out over BF16 caches without pages alone",
        hint: "drop one of the two")
    }
    memory = TensorMemory(limit: request.plan.memoryLimit)
    launcher = Launcher(request.machine)
    graph = LlamaGraph(
      tensors: try LlamaTensors(
        memory, request.model, options, rows: request.rows, context: request.context,
        isTied: request.isTied), options: options, machine: request.machine)
  }

  /// Reads the weights.
  public mutating func load(_ checkpoint: Checkpoint) throws(NPUError) {
    weights = try graph.tensors.load(checkpoint)
  }

  /// Makes weights from a seed.
  public mutating func load(seed: UInt64) throws(NPUError) {
    weights = try graph.tensors.load(seed: seed)
  }

  /// Takes so many tokens as being in the caches, of which no word is known.
  public mutating func skip(_ count: Int) { position += count }

  /// How many programs were built so far.
  public var programCount: Int { launcher.programCount }

  /// Puts tokens behind what the caches hold.
  ///
  /// - Returns: what the pass took, and what it answers where words are made.
  /// - Throws: `.usage` for no token, for more than the rows or the context have room for, and for one that
  ///   is not in the vocabulary; and as ``Launcher/run(_:on:_:)``.
  public mutating func run(_ tokens: [Int]) throws(NPUError) -> (pass: Pass, answer: Answer?) {
    let pass = LlamaGraph.Pass(first: position, count: tokens.count)
    try check(tokens, pass)
    let tensors = graph.tensors
    try tensors.write(
      tokens.map { Int32(truncatingIfNeeded: $0) }, to: tensors.rows("ids", pass.rows))
    if request.options.cache.isFP8 { try writeSlots(pass) }
    try writeFrequencies()
    var result = Pass(
      first: pass.first, count: pass.count, rows: LlamaStage.allCases.map { Row(stage: $0) })
    if request.plan.plan < .values && !request.isUnrolled {
      try time(pass, &result)
    } else {
      for step in try graph.steps(pass) { try run(step, &result) }
    }
    result.rows.removeAll { $0.launches == 0 }
    position += pass.count
    guard request.plan.plan >= .values else { return (result, nil) }
    let answer = try answer()
    next = answer.token
    return (result, answer)
  }

  /// A launch, and the words that it left.
  private mutating func run(
    _ step: LlamaGraph.Step, _ result: inout Pass
  ) throws(NPUError) {
    let inner = record == nil ? [] : step.kept.compactMap(\.inner)
    let outcome = try launcher.run(step.launch, on: memory, request.plan, keeping: inner)
    result.add(outcome, to: step.stage)
    guard record != nil else { return }
    for kept in step.kept {
      let bytes =
        switch kept.place {
        case .memory(let binding): try memory.read(binding).payload
        case .inner(let name, _, _): outcome.inner[name]?.storage ?? []
        }
      record?.add(kept, bytes, at: result.first)
    }
  }

  /// The launches of a pass without words: layers are alike, so one stands for all.
  private mutating func time(_ pass: LlamaGraph.Pass, _ result: inout Pass) throws(NPUError) {
    let around = [try graph.embedding(pass)] + (try graph.answer(pass))
    for (steps, times) in [(around, 1), (try graph.layer(0, pass), request.model.layers)] {
      for step in steps {
        result.add(
          try launcher.run(step.launch, on: memory, request.plan), to: step.stage, times: times)
      }
    }
  }

  private func answer() throws(NPUError) -> Answer {
    let words = try memory.read(memory.whole("token")).payload
    let token = words.reversed().reduce(0) { $0 << 8 | Int($1) }
    let logits = try memory.read(memory.whole("logits")).payload
    func logit(_ index: Int) -> Float {
      BF16(bits: UInt16(logits[2 * index]) | UInt16(logits[2 * index + 1]) << 8).float
    }
    let largest = logit(token)
    let ties = (0..<request.model.vocabulary).count { logit($0) == largest }
    return Answer(logits: logits, token: token, ties: ties)
  }

  private func check(_ tokens: [Int], _ pass: LlamaGraph.Pass) throws(NPUError) {
    guard !tokens.isEmpty else {
      throw NPUError(.usage, "found no token, needed at least one", hint: "give some with --tokens")
    }
    guard pass.count <= request.rows, pass.positions.upperBound <= request.context else {
      throw NPUError(
        .usage,
        "\(tokens.count.counted("token")) from position \(pass.first) on do not fit a context of "
          + "\(request.context)", hint: "use a larger context, or fewer tokens")
    }
    if let wrong = tokens.first(where: { !(0..<request.model.vocabulary).contains($0) }) {
      throw NPUError(
        .usage, "token \(wrong) is not in the vocabulary of \(request.model.vocabulary)")
    }
  }

  /// Where the rows of each head go: a slot for each token and head.
  private func writeSlots(_ pass: LlamaGraph.Pass) throws(NPUError) {
    let caches = graph.tensors.caches
    let slots = pass.positions.flatMap { token in
      (0..<request.model.kvHeads).map {
        Int32(truncatingIfNeeded: caches.slot(position: token, head: $0))
      }
    }
    try graph.tensors.write(slots, to: graph.tensors.rows("slots", 0..<slots.count))
  }

  /// The frequencies of RoPE are words of a tensor: those of the model.
  private mutating func writeFrequencies() throws(NPUError) {
    guard !hasFrequencies, request.plan.plan >= .values else { return }
    hasFrequencies = true
    let model = request.model
    let words = RotaryFrequencies.words(
      headDim: model.headDim, theta: model.ropeTheta, scaling: model.ropeScaling)
    try memory.write(
      TensorWords(payload: ReferenceSlice("", start: 0, f32: words).bytes),
      to: graph.tensors.whole("rope.inv_freq"))
  }
}

extension LlamaRun.Pass {
  /// Adds a launch, or several that are alike.
  fileprivate mutating func add(
    _ outcome: Launcher.Outcome, to stage: LlamaStage, times: Int = 1
  ) {
    guard let index = rows.firstIndex(where: { $0.stage == stage }) else { return }
    func all(_ count: Int64) -> Int64 {
      let (product, isOver) = count.multipliedReportingOverflow(by: Int64(times))
      return isOver ? .max : product
    }
    checked += outcome.checkedOutputs * times
    total += outcome.totalOutputs * times
    rows[index].launches += times
    rows[index].bytes = rows[index].bytes.addedClamped(to: all(outcome.hbmBytes))
    guard let timing = outcome.timing else { return }
    rows[index].cycles = rows[index].cycles.addedClamped(to: all(timing.cycles))
    guard let bounds = timing.bounds else { return }
    rows[index].bound = rows[index].bound.addedClamped(to: all(bounds.roofline))
    if bounds.roofline > rows[index].largest {
      rows[index].largest = bounds.roofline
      rows[index].resource = bounds.rooflineResource
    }
  }
}
