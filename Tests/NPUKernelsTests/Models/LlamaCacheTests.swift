import NPUKernels
import NPUSim
import Testing

/// Caches that leave a run and come into another one.
@Suite struct LlamaCacheTests {
  private static let formats = LlamaOptions.CacheFormat.allCases

  /// The first run of the oracle with a format, with a prompt that ends within a block of 32 tokens.
  private static func golden(
    _ format: LlamaOptions.CacheFormat
  ) throws -> MadeUpModelTests.Golden {
    var golden = try #require(MadeUpModelTests.goldens.first { $0.cache == format })
    golden.prompt = Array("say hello: hello.\nthe red ".utf8).map(Int.init)
    return golden
  }

  private static func archive(_ run: LlamaRun) throws -> TensorArchive {
    TensorArchive(try run.cache())
  }

  @Test(arguments: formats)
  func `any split of the steps over runs changes no word`(
    format: LlamaOptions.CacheFormat
  ) throws {
    let golden = try Self.golden(format)
    let steps = 10
    var whole = try MadeUpModelTests.run(golden)
    var answers = [try #require(try whole.run(golden.prompt).answer)]
    // The ninth token is the first of another block.
    for _ in 1..<steps { answers.append(try #require(try whole.run([answers.last!.token]).answer)) }
    let splits = TestScale.isFull ? Array(1..<steps) : [format == .bf16 ? 3 : 8]
    for split in splits {
      // Pages on one side and none on the other: the file does not know of them.
      let paging = try LlamaPaging(page: 32, pages: 5, seed: UInt64(split))
      var first = try MadeUpModelTests.run(
        golden, paging: split % 2 == 0 ? paging : nil, context: 64)
      _ = try first.run(golden.prompt)
      for step in 1..<split { _ = try first.run([answers[step - 1].token]) }
      var second = try MadeUpModelTests.run(
        golden, paging: split % 2 == 0 ? nil : paging, context: 64)
      try second.restore(try Self.archive(first))
      #expect(second.position == golden.prompt.count + split - 1)
      #expect(second.next == answers[split - 1].token)
      for step in split..<steps {
        let token = try #require(second.next)
        let found = try #require(try second.run([token]).answer)
        #expect(found.logits == answers[step].logits, "\(format), split at \(split), step \(step)")
      }
      #expect(try first.cache() != whole.cache())
      #expect(try second.cache() == whole.cache())
    }
  }

  // MARK: Mutations

  /// The cache of a prompt, changed by `change`, and what its last token answers over it.
  private static func answer(
    _ format: LlamaOptions.CacheFormat, _ change: (inout TensorSet) throws -> Void
  ) throws -> [UInt8] {
    var golden = try golden(format)
    golden.prompt = Array("the red core".utf8).map(Int.init)
    var first = try MadeUpModelTests.run(golden)
    _ = try first.run(golden.prompt)
    var cache = try first.cache()
    try change(&cache)
    var second = try MadeUpModelTests.run(golden)
    try second.restore(TensorArchive(cache))
    return try #require(try second.run([101]).answer).logits
  }

  /// The rows of each tensor of a cache in another order, `place` names the old row of each new one.
  private static func moved(
    _ cache: inout TensorSet, _ names: (String) -> Bool, by place: (Int) -> Int
  ) throws {
    var set = TensorSet()
    set.metadata = cache.metadata
    for name in cache.names {
      let tensor = try #require(cache[name])
      guard names(name) else {
        try set.insert(tensor, named: name)
        continue
      }
      let width = tensor.storage.count / tensor.shape[0]
      let bytes = (0..<tensor.shape[0]).flatMap { row in
        tensor.storage[place(row) * width..<(place(row) + 1) * width]
      }
      try set.insert(Tensor(dtype: tensor.dtype, shape: tensor.shape, storage: bytes), named: name)
    }
    cache = set
  }

  /// A cache with an error that a program might have.
  enum Slip: CaseIterable {
    case swappedPages, missingRow, wrongHeadGroup, positionOffByOne

    func change(_ cache: inout TensorSet) throws {
      switch self {
      case .swappedPages:
        // Of the keys alone: attention does not care for the order of what it reads twice over.
        try LlamaCacheTests.moved(&cache, { $0.contains("cache.k") }) { $0 / 4 < 2 ? $0 ^ 4 : $0 }
      case .missingRow:
        try LlamaCacheTests.moved(&cache, { _ in true }) { $0 == 7 ? 6 : $0 }
      case .wrongHeadGroup:
        var set = TensorSet()
        set.metadata = cache.metadata
        for name in cache.names {
          let tensor = try #require(cache[name])
          let width = tensor.storage.count / tensor.shape[0] / tensor.shape[1]
          let bytes = (0..<tensor.shape[0] * tensor.shape[1]).flatMap { line in
            tensor.storage[(line ^ 1) * width..<((line ^ 1) + 1) * width]
          }
          try set.insert(
            Tensor(dtype: tensor.dtype, shape: tensor.shape, storage: bytes), named: name)
        }
        cache = set
      case .positionOffByOne:
        // Every key stands where the one before it was.
        try LlamaCacheTests.moved(&cache, { $0.contains("cache.k") }) { max(0, $0 - 1) }
      }
    }
  }

  @Test(arguments: Slip.allCases, [LlamaOptions.CacheFormat.bf16, .e4m3fn])
  func `a cache that is wrong in one thing gives other logits`(
    slip: Slip, format: LlamaOptions.CacheFormat
  ) throws {
    guard TestScale.isFull || format == .bf16 || slip == .missingRow else { return }
    let right = try Self.answer(format) { _ in }
    #expect(try Self.answer(format, slip.change) != right)
  }

  @Test func `the pairs of the other names give other logits`() throws {
    let golden = try Self.golden(.bf16)
    var found: [[UInt8]] = []
    for naming in [ModelWeight.Naming.huggingFace, .meta] {
      let checkpoint = try Checkpoint(CheckpointTests.folder("huggingface"))
      var options = LlamaOptions()
      options.naming = naming
      var run = try LlamaRun(
        LlamaRun.Request(
          checkpoint.model, isTied: true, options, on: Presets.named("edge").configuration,
          Launcher.Plan(.values, verification: .none), context: 64, rows: 64))
      try run.load(checkpoint)
      found.append(try #require(try run.run(golden.prompt).answer).logits)
    }
    #expect(found[0] != found[1])
  }

  // MARK: What is refused

  @Test func `the cache of another model, format, length or file is refused with what differs`()
    throws
  {
    let golden = try Self.golden(.bf16)
    var first = try MadeUpModelTests.run(golden)
    #expect(KernelRun.error { () throws(NPUError) in try first.cache() }?.category == .usage)
    _ = try first.run([104, 105])
    let cache = try first.cache()
    func reason(
      _ change: (inout TensorSet) throws -> Void = { _ in }, context: Int = 256,
      format: LlamaOptions.CacheFormat = .bf16, folder: String? = nil
    ) throws -> String {
      var cache = cache
      try change(&cache)
      var other = try Self.golden(format)
      if let folder { other.folder = folder }
      var run = try MadeUpModelTests.run(other, context: context)
      let error = KernelRun.error { () throws(NPUError) in
        try run.restore(TensorArchive(cache))
      }
      #expect(error == nil || error?.category == .tensor)
      #expect(run.position == 0 || error == nil)
      return error?.message ?? "none"
    }
    #expect(try reason() == "none")
    #expect(try reason(format: .e5m2).contains("--kv-format bf16, needed e5m2"))
    #expect(try reason(folder: "meta").contains("Hugging Face's names, needed"))
    #expect(try reason(context: 1).contains("has 2 tokens, and there is room for 1"))
    #expect(
      try reason({ $0.metadata["llama.weights"] = "0" }).contains("weights with the checksum 0"))
    #expect(try reason({ $0.metadata = [:] }).contains("is no cache of a Llama"))
    for position in ["0", "-3", "two", "99999999999999999999"] {
      #expect(
        try reason({ $0.metadata["llama.position"] = position }).contains("no cache of a Llama"))
    }
    #expect(
      try reason({ $0.metadata["llama.position"] = "1" }).contains("has shape [2, 2, 32]"))
    #expect(try reason({ $0.metadata["llama.next_token"] = "128" }).contains("token 128"))
    let missing = try reason { cache in
      var set = TensorSet()
      set.metadata = cache.metadata
      for name in cache.names where name != "layers.3.cache.v" {
        try set.insert(try #require(cache[name]), named: name)
      }
      cache = set
    }
    #expect(missing.contains("layers.3.cache.v"))
  }

  @Test(
    arguments: [
      (0, 4, [0], "--page needs a whole number of at least 1"),
      (4, 0, [], "--pages needs a whole number of at least 1"),
      (4, 2, [0, 2], "block_table[1] is 2, needed a page from 0 to 1"),
      (4, 2, [0, -1], "block_table[1] is -1"),
      (4, 3, [2, 1, 2], "block_table[2] is 2, which holds other tokens already"),
    ] as [(Int, Int, [Int32], String)])
  func `a table that names no page, or one twice, is refused`(
    page: Int, pages: Int, table: [Int32], reason: String
  ) {
    let error = KernelRun.error { () throws(NPUError) in
      try LlamaPaging(page: page, pages: pages, table: table)
    }
    #expect(error?.category == .usage && error?.message.contains(reason) == true)
  }

  @Test func `a pool that does not hold the context, and pages that part a block, are refused`()
    throws
  {
    func error(
      _ format: LlamaOptions.CacheFormat, page: Int, pages: Int, isUnfused: Bool = false
    ) throws -> String {
      let golden = try Self.golden(format)
      let paging = try LlamaPaging(page: page, pages: pages, seed: 1)
      return KernelRun.error { () throws(NPUError) in
        try MadeUpModelTests.run(golden, paging: paging, isUnfused: isUnfused, context: 64)
      }?.message ?? "none"
    }
    #expect(try error(.bf16, page: 16, pages: 4) == "none")
    #expect(try error(.bf16, page: 16, pages: 3).contains("hold 48 tokens, needed 64"))
    #expect(try error(.mxint8, page: 48, pages: 4).contains("needed a multiple of 32"))
    #expect(try error(.bf16, page: 16, pages: 4, isUnfused: true).contains("--walk with --page"))
  }

  @Test func `pages of one seed are a permutation, and those of another one another`() throws {
    let one = try LlamaPaging(page: 8, pages: 40, seed: 3)
    #expect(one.table.sorted() == Array(0..<40) && one.table != Array(0..<40))
    #expect(try LlamaPaging(page: 8, pages: 40, seed: 3) == one)
    #expect(try LlamaPaging(page: 8, pages: 40, seed: 4) != one)
  }
}
