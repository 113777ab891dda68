import NPUSim

/// What a run of a Llama gave: its tokens, and what each pass took.
public struct LlamaReport: Sendable {
  /// The schema of the JSON.
  public static let schema = "npusim.llama.v1"

  public var model: Model
  public var machine: MachineConfiguration
  public var options: LlamaOptions
  public var prompt: [Int]
  /// The generated tokens; empty where no words were made.
  public private(set) var tokens: [Int] = []
  /// Tokens before which several had the largest logit.
  public private(set) var tied = 0
  /// The pass of the prompt, `nil` where there was none, and those of a token each.
  public var prefill: LlamaRun.Pass?
  public var steps: [LlamaRun.Pass] = []
  /// Programs that were built and proved.
  public var programs = 0
  /// How much of the words was compared; `nil` where none were made.
  public var verification: RunRequest.Verification?
  /// Tokens that the caches held before.
  public var before = 0
  /// How the dump compares with somebody's; `nil` where it was not asked for.
  public var comparison: LlamaComparison?
  /// The steps of the first pass with their shapes; empty unless they were asked for.
  public var walk: [LlamaWalk.Line] = []

  public init(
    _ model: Model, on machine: MachineConfiguration, _ options: LlamaOptions, prompt: [Int]
  ) {
    self.model = model
    self.machine = machine
    self.options = options
    self.prompt = prompt
  }

  /// The next token.
  public mutating func add(_ answer: LlamaRun.Answer) {
    tokens.append(answer.token)
    if answer.ties > 1 { tied += 1 }
  }

  /// `findings` where a word is not what was expected.
  public var verdict: RunReport.Verdict {
    comparison.map { $0.isEqual ? .clean : .findings } ?? .clean
  }

  private var passes: [LlamaRun.Pass] { (prefill.map { [$0] } ?? []) + steps }

  /// Seconds of some cycles on the machine.
  private func seconds(_ cycles: Int64) -> Double {
    Double(cycles) / Double(machine.clockHz)
  }

  /// Tokens a second where a token takes what the steps took in the mean.
  private func rate(_ cycles: KeyPath<LlamaRun.Pass, Int64>) -> Double? {
    let total = steps.reduce(Int64(0)) { $0.addedClamped(to: $1[keyPath: cycles]) }
    guard total > 0 else { return nil }
    return Double(steps.count) / seconds(total)
  }

  public var tokensPerSecond: Double? { rate(\.cycles) }
  /// What no schedule of the launches could exceed.
  public var boundTokensPerSecond: Double? { rate(\.bound) }

  /// Bytes that a token adds to the caches of all layers; of MXINT8 those of its share of a block.
  public var cacheBytesPerToken: Int {
    let (width, format) = (model.headDim, options.cache)
    let bytes = width * format.element.bytes
    let both =
      switch format {
      case .bf16: 2 * bytes
      case .e4m3fn, .e5m2: 2 * (bytes + 4 * FP8Block.blocks(width))
      case .mxint8: 2 * bytes + MXINT8.blocks(width) + (width + 31) / 32
      }
    return model.layers * model.kvHeads * both
  }

  // MARK: Text

  /// The page, ending with a line break.
  public func text() -> String {
    let launches = passes.reduce(0) { $0 + $1.launches }
    var lines = heading
    lines += PageRow.lines(
      "proof",
      "\(Quantity.grouped(launches)) launches of \(programs.counted("program")), each free of races, "
        + "uninitialised reads and deadlock for every timing")
    lines += PageRow.lines("numbers", numbers)
    lines += comparison.map(expected) ?? []
    lines += costs
    var text = lines.joined(separator: "\n") + "\n" + LlamaWalk.text(walk)
    if let prefill { text += "\nprefill, \(prefill.count.counted("token"))\n" + table(prefill) }
    if let last = steps.last {
      text += "\ndecode at position \(last.first)\n" + table(last)
    }
    return text
  }

  /// What was run, and what came of it.
  private var heading: [String] {
    var lines = PageRow.lines("verdict", comparison.flatMap(\.first).map(Self.verdict) ?? "clean")
    lines += PageRow.lines("model", "\(model.name): \(model.summary)")
    let pages = options.paging.map {
      " in \($0.pages.counted("page")) of \($0.page.counted("token"))"
    }
    lines += PageRow.lines(
      "machine",
      "\(machine.name), \(machine.cores.counted("core")), accumulators "
        + "\(machine.matrix.accumulator.rawValue), cache \(options.cache.rawValue)\(pages ?? "")")
    let cached = before > 0 ? " behind \(Quantity.grouped(before)) in the caches" : ""
    lines.append(PageRow.line("prompt", "\(prompt.count.counted("token"))\(cached)"))
    let positions = passes.map { $0.first + $0.count }.max() ?? 0
    if positions > model.context {
      lines += PageRow.lines(
        "note",
        "\(positions.counted("position")), and \(model.name) was made for a context of "
          + "\(model.context)")
    }
    if !tokens.isEmpty {
      lines += PageRow.lines("tokens", tokens.map(String.init).joined(separator: " "))
      if let answer { lines.append(PageRow.line("answer", answer)) }
      if tied > 0 {
        lines.append(
          PageRow.line(
            "ties", "\(tied.counted("token")) with the logit of another: the lower number is taken")
        )
      }
    }
    return lines
  }

  /// Cycles and rates, and what a token takes in the caches.
  private var costs: [String] {
    var lines: [String] = []
    if let prefill {
      lines.append(
        PageRow.line(
          "prefill",
          "\(Quantity.grouped(prefill.cycles)) cycles   \(Quantity.seconds(seconds(prefill.cycles)))"
            + " to the first token   \(share(prefill)) of the bound"))
    }
    if let rate = tokensPerSecond, let bound = boundTokensPerSecond, let last = steps.last {
      lines.append(
        PageRow.line(
          "decode",
          "\(Quantity.grouped(last.cycles)) cycles for the last token   "
            + "\(Quantity.prefixed(rate, "tokens/s")) of at most "
            + Quantity.prefixed(bound, "tokens/s")))
    }
    if machine.launchCycles > 0, let pass = steps.last ?? prefill {
      let cycles = launchCycles(pass)
      lines.append(
        PageRow.line(
          "launch",
          "\(Quantity.grouped(cycles)) cycles more for the \(pass.launches) launches of the last pass, "
            + "from the host and back   " + Quantity.seconds(seconds(cycles))))
    }
    if let pass = steps.last ?? prefill, let use = hbmUse(pass) {
      lines.append(
        PageRow.line(
          "hbm",
          "\(Quantity.prefixed(Double(pass.bytes), "B")) in bursts in the last pass, "
            + "\(Quantity.percent(use, of: 1)) of the bandwidth"))
    }
    lines.append(
      PageRow.line("cache", "\(Quantity.grouped(cacheBytesPerToken)) bytes a token"))
    return lines
  }

  /// The share of the HBM bandwidth that a pass uses; `nil` where there is no limit.
  private func hbmUse(_ pass: LlamaRun.Pass) -> Double? {
    guard !machine.hbm.rate.isUnlimited, pass.cycles > 0 else { return nil }
    return Double(pass.bytes) / (Double(pass.cycles) * machine.hbm.rate.approximate)
  }

  /// What the launches of a pass cost from the host and back; no cycle of it is in the pass's.
  private func launchCycles(_ pass: LlamaRun.Pass) -> Int64 {
    // At most 10^9 cycles each.
    machine.launchCycles * Int64(pass.launches)
  }

  private var numbers: String {
    guard let verification else { return "not made" }
    let checked = passes.reduce(0) { $0 + $1.checked }
    let total = passes.reduce(0) { $0 + $1.total }
    guard verification != .none else { return "made, and not compared" }
    return
      "bit-exact: \(Quantity.grouped(checked)) of \(Quantity.grouped(total)) outputs of launches equal "
      + "their references on the inputs that they got"
  }

  /// The tokens as text, where they are bytes.
  private var answer: String? {
    guard model.vocabulary <= 256 else { return nil }
    let bytes = tokens.map { UInt8(truncatingIfNeeded: $0) }
    return ForeignText.quoted(String(decoding: bytes, as: UTF8.self))
  }

  private func share(_ pass: LlamaRun.Pass) -> String {
    Quantity.percent(Double(pass.bound), of: Double(pass.cycles))
  }

  private func table(_ pass: LlamaRun.Pass) -> String {
    let width = LlamaStage.allCases.map(\.rawValue.count).max() ?? 0
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func left(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    var lines = [
      left("stage", width) + right("launches", 10) + right("cycles", 16) + right("share", 9)
        + right("of bound", 10) + "  bound by"
    ]
    for row in pass.rows {
      lines.append(
        left(row.stage.rawValue, width) + right(Quantity.grouped(row.launches), 10)
          + right(Quantity.grouped(row.cycles), 16)
          + right(Quantity.percent(Double(row.cycles), of: Double(pass.cycles)), 9)
          + right(Quantity.percent(Double(row.bound), of: Double(row.cycles)), 10)
          + "  \(row.resource.name)")
    }
    lines.append(
      left("all", width) + right(Quantity.grouped(pass.launches), 10)
        + right(Quantity.grouped(pass.cycles), 16) + right("", 9) + right(share(pass), 10))
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: JSON

  public func json() -> JSONValue {
    .object([
      JSONMember("schema", .string(Self.schema)), JSONMember("verdict", .string(verdict.rawValue)),
      JSONMember("model", model.json), JSONMember("machine", machine.reported),
      JSONMember("kv_format", .string(options.cache.rawValue)),
      JSONMember("page", options.paging.map { .integer(Int64($0.page)) } ?? .null),
      JSONMember("pages", options.paging.map { .integer(Int64($0.pages)) } ?? .null),
      JSONMember("cached_tokens", .integer(Int64(before))),
      JSONMember("prompt", .array(prompt.map { .integer(Int64($0)) })),
      JSONMember("tokens", .array(tokens.map { .integer(Int64($0)) })),
      JSONMember("tied_tokens", .integer(Int64(tied))),
      JSONMember("programs", .integer(Int64(programs))),
      JSONMember("prefill", prefill.map(json) ?? .null),
      JSONMember("decode", .array(steps.map(json))),
      JSONMember(
        "stages", .array((steps.last ?? prefill)?.rows.map(json) ?? [])),
      JSONMember("tokens_per_second", tokensPerSecond.map(JSONValue.double) ?? .null),
      JSONMember("bound_tokens_per_second", boundTokensPerSecond.map(JSONValue.double) ?? .null),
      JSONMember("cache_bytes_per_token", .integer(Int64(cacheBytesPerToken))),
      JSONMember("expectation", comparison.map(\.json) ?? .null),
      JSONMember("walk", .array(walk.map(\.json))),
    ])
  }

  private func json(_ pass: LlamaRun.Pass) -> JSONValue {
    .object([
      JSONMember("first_position", .integer(Int64(pass.first))),
      JSONMember("tokens", .integer(Int64(pass.count))),
      JSONMember("cycles", .integer(pass.cycles)), JSONMember("bound_cycles", .integer(pass.bound)),
      JSONMember("launches", .integer(Int64(pass.launches))),
      JSONMember("launch_cycles", .integer(launchCycles(pass))),
      JSONMember("hbm_bytes", .integer(pass.bytes)),
      JSONMember("hbm_use", hbmUse(pass).map(JSONValue.double) ?? .null),
      JSONMember("checked_outputs", .integer(Int64(pass.checked))),
      JSONMember("total_outputs", .integer(Int64(pass.total))),
      JSONMember("stages", .array(pass.rows.map(json))),
    ])
  }

  private func json(_ row: LlamaRun.Row) -> JSONValue {
    .object([
      JSONMember("stage", .string(row.stage.rawValue)),
      JSONMember("launches", .integer(Int64(row.launches))),
      JSONMember("cycles", .integer(row.cycles)), JSONMember("bound_cycles", .integer(row.bound)),
      JSONMember("bound_resource", .string(row.resource.name)),
      JSONMember("hbm_bytes", .integer(row.bytes)),
    ])
  }
}
