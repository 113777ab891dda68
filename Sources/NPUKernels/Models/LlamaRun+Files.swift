import NPUSim

extension LlamaRun {
  // MARK: Dumps

  /// What the launches left since ``isRecording``: every stage by name, with a row for each token.
  ///
  /// - Throws: `.usage` where nothing was recorded.
  public func dump() throws(NPUError) -> TensorSet {
    guard let record else {
      throw NPUError(.usage, "nothing was recorded, so there is no dump")
    }
    return try record.dump()
  }

  /// Compares what passes are going to leave with somebody's tensors, and records it for that.
  ///
  /// - Parameters:
  ///   - source: the tensors, by the names of ``dump()``; others are passed over.
  ///   - passes: the tokens of each ``run(_:)`` to come.
  /// - Throws: `.io` and `.tensor` as `simctl run --expect` does, before anything runs.
  public mutating func expect(
    _ source: TensorSource, _ closeness: Closeness, passes: [Int]
  ) throws(NPUError) {
    var kept: [[LlamaGraph.Kept]] = []
    var first = position
    for count in passes {
      let pass = LlamaGraph.Pass(first: first, count: count)
      kept.append(try graph.steps(pass).flatMap(\.kept))
      first += count
    }
    expectation = try ExpectationPlan(LlamaRecord.specs(kept), with: source, closeness)
    isRecording = true
  }

  /// How what was recorded compares with what was expected; `nil` where nothing was.
  public func comparison() throws(NPUError) -> LlamaComparison? {
    guard let expectation, let record else { return nil }
    return try LlamaComparison(expectation, record)
  }

  // MARK: Caches

  private var cacheFile: LlamaCacheFile {
    LlamaCacheFile(caches: graph.tensors.caches, memory: memory)
  }

  private var facts: LlamaCacheFile.Facts {
    let model = request.model
    let naming = request.options.naming == .huggingFace ? "Hugging Face's names" : "Meta's names"
    let scaling = model.ropeScaling.map {
      ", rescaled by \($0.factor) from \($0.originalContext), \($0.low) to \($0.high)"
    }
    // Not the context: a longer one changes no word.
    return LlamaCacheFile.Facts(
      model:
        "\(model.layers) layers, hidden \(model.hidden), heads \(model.heads)/\(model.kvHeads) x "
        + "\(model.headDim), ffn \(model.ffn), vocabulary \(model.vocabulary), theta "
        + "\(model.ropeTheta)\(scaling ?? ""), \(naming)",
      weights: weights, format: request.options.cache.rawValue)
  }

  /// The caches with the token behind them: whoever takes them goes on as this run would.
  ///
  /// - Throws: `.usage` where there is no token in them.
  public func cache() throws(NPUError) -> TensorSet {
    guard position > 0, request.plan.plan >= .values else {
      throw NPUError(.usage, "the caches hold no words", hint: "run some tokens first")
    }
    return try cacheFile.tensors(position, next: next, facts)
  }

  /// How many tokens are in the caches that a file has.
  ///
  /// - Throws: `.tensor` for a file that is no cache.
  public static func tokens(in archive: TensorArchive) throws(NPUError) -> Int {
    try LlamaCacheFile.tokens(in: archive)
  }

  /// Takes the caches of another run of the same model, weights and format.
  ///
  /// - Throws: `.tensor` for those of another one, with what differs; `.io` where they cannot be read.
  public mutating func restore(_ archive: TensorArchive) throws(NPUError) {
    let found = try cacheFile.check(archive, facts, room: request.context)
    try cacheFile.restore(archive, found.tokens)
    (position, next) = (found.tokens, found.next)
  }
}
