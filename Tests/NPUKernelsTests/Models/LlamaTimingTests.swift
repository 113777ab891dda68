import NPUKernels
import NPUSim
import Testing

/// Cycles of a Llama without words: layers that are alike are launched once, and the sums are those of all.
@Suite struct LlamaTimingTests {
  /// Models of four layers; the published ones over BF16 in full counts, as their programs are large.
  private static func models(_ format: LlamaOptions.CacheFormat = .bf16) throws -> [Model] {
    var small = try Checkpoint(CheckpointTests.folder("huggingface")).model
    small.vocabulary = 500
    let published = TestScale.isFull && format == .bf16 ? Model.all : []
    return ([small] + published).map { model in
      var model = model
      model.layers = 4
      return model
    }
  }

  private static func run(
    _ model: Model, _ options: LlamaOptions = LlamaOptions(), before: Int, isUnrolled: Bool = false
  ) throws(NPUError) -> LlamaRun {
    var request = LlamaRun.Request(
      model, isTied: false, options, on: try Presets.named("edge").configuration,
      Launcher.Plan(.timing), context: before + 100, rows: 5)
    request.isUnrolled = isUnrolled
    var run = try LlamaRun(request)
    run.skip(before)
    return run
  }

  /// What a table has of a pass, a line a stage.
  private static func lines(_ pass: LlamaRun.Pass) -> [String] {
    pass.rows.map {
      "\($0.stage): \($0.launches) \($0.cycles) \($0.bound) \($0.resource) \($0.bytes)"
    }
  }

  @Test(arguments: LlamaOptions.CacheFormat.allCases)
  func `layers that are alike cost as much as each of them launched by itself`(
    format: LlamaOptions.CacheFormat
  ) throws {
    for model in try Self.models(format) {
      var options = LlamaOptions()
      options.cache = format
      for (before, tokens) in [(70, [0]), (0, [1, 2, 3, 4, 5])] {
        var rolled = try Self.run(model, options, before: before)
        var unrolled = try Self.run(model, options, before: before, isUnrolled: true)
        let (once, each) = (try rolled.run(tokens).pass, try unrolled.run(tokens).pass)
        #expect(Self.lines(once) == Self.lines(each), "\(model.name), \(tokens.count) tokens")
        #expect(once.launches == each.launches && once.launches > 4 * 10)
        #expect(rolled.programCount == unrolled.programCount)
      }
    }
  }

  @Test func `a token costs the same behind tokens that were run and those that are said to be`()
    throws
  {
    let model = try #require(try Self.models().first)
    var stepping = try Self.run(model, before: 0)
    var random = SeededGenerator(seed: 0x70CE)
    for position in 0..<(TestScale.isFull ? 100 : 40) {
      let pass = try stepping.run([0]).pass
      guard TestScale.isFull || random.below(8) == 0 else { continue }
      var alone = try Self.run(model, before: position)
      #expect(Self.lines(try alone.run([0]).pass) == Self.lines(pass), "position \(position)")
      #expect(pass.first == position && pass.bound <= pass.cycles)
    }
  }
}
