import NPUSim

/// Where the keys and values of each layer lie in HBM: in pages, of which one holds all tokens unless
/// there is a pool.
///
/// BF16 without a pool is [tokens, kv heads · head dim]: RoPE writes keys, and the projection values,
/// where attention reads them. Everything else is [kv heads, tokens, head dim] a page; FP8 has a scale for
/// each 128 columns, MXINT8 blocks along the columns of keys and along the tokens of values.
struct LlamaCaches {
  /// Keys, or values.
  enum Part: String, CaseIterable {
    case key = "k"
    case value = "v"
  }

  /// Tokens one after the other in one page.
  struct Segment: Hashable {
    var positions: Range<Int>
    var page: Int
    /// Its rows in the page.
    var rows: Range<Int>
  }

  let memory: TensorMemory
  let model: Model
  let format: LlamaOptions.CacheFormat
  /// Tokens of a page, and the page of each so many tokens.
  let page: Int
  let table: [Int32]
  let pages: Int
  /// Whether attention is given pages with their block table.
  let isPaged: Bool

  /// Declares the caches of all layers.
  ///
  /// - Throws: `.usage` where a pool does not hold `context` tokens, or blocks of MXINT8 do not lie in one
  ///   page.
  init(
    _ memory: TensorMemory, _ model: Model, _ options: LlamaOptions, context: Int
  ) throws(NPUError) {
    self.memory = memory
    self.model = model
    format = options.cache
    if let paging = options.paging {
      guard paging.room >= context else {
        throw NPUError(
          .usage,
          "\(paging.table.count.counted("page")) of \(paging.page.counted("token")) hold "
            + "\(paging.room.counted("token")), needed \(context)",
          hint: "use more --pages, or a larger --page")
      }
      guard format != .mxint8 || paging.page % MXINT8.blockSize == 0 else {
        throw NPUError(
          .usage,
          "--page \(paging.page) with --kv-format mxint8, needed a multiple of \(MXINT8.blockSize)",
          hint: "values share an exponent over 32 tokens, and those lie in one page")
      }
      (page, table, pages, isPaged) = (paging.page, paging.table, paging.pages, true)
    } else {
      // A page of MXINT8 has whole blocks; a view of fewer tokens would end within one.
      let isBlocked = format == .mxint8
      page = isBlocked ? MXINT8.blocks(context) * MXINT8.blockSize : context
      (table, pages, isPaged) = ([0], 1, isBlocked)
    }
    for layer in 0..<model.layers {
      for part in Part.allCases { try declare(part, layer) }
      if format == .mxint8 {
        try memory.declare(
          Self.openName(layer), TensorForm(.bf16, [MXINT8.blockSize, keyWidth]))
      }
    }
    guard isPaged else { return }
    try memory.declare(Self.tableName, TensorForm(.i32, [1, table.count]))
    let words = try Tensor(words: table, dtype: .i32, shape: [1, table.count])
    try memory.write(TensorWords(payload: words.storage), to: memory.whole(Self.tableName))
  }

  private func declare(_ part: Part, _ layer: Int) throws(NPUError) {
    let name = Self.name(part, layer)
    if isByToken {
      return try memory.declare(name, TensorForm(.bf16, [pages, page, keyWidth]))
    }
    let rows = [pages, model.kvHeads, page]
    try memory.declare(
      name,
      TensorForm(
        format.element, rows + [model.headDim],
        axis: part == .value ? .alongRows : .alongColumns))
    if format.isFP8 {
      try memory.declare(
        Self.scaleName(part, layer), TensorForm(.f32, rows + [FP8Block.blocks(model.headDim)]))
    }
  }

  private static let tableName = "block_table"

  static func name(_ part: Part, _ layer: Int) -> String {
    "layers.\(layer).cache.\(part.rawValue)"
  }

  static func scaleName(_ part: Part, _ layer: Int) -> String { name(part, layer) + "_scale" }

  /// The values of the last tokens in BF16 as long as they are no block of MXINT8 yet.
  static func openName(_ layer: Int) -> String { "layers.\(layer).cache.v_open" }

  /// Whether the heads of a token are side by side.
  var isByToken: Bool { format == .bf16 && !isPaged }

  var keyWidth: Int { model.kvHeads * model.headDim }

  /// Rows of all pages and heads: the slots of an FP8 cache.
  var slots: Int { pages * model.kvHeads * page }

  /// Where a row of a head goes among them.
  func slot(position: Int, head: Int) -> Int {
    (Int(table[position / page]) * model.kvHeads + head) * page + position % page
  }

  /// Tokens by the pages that they lie in.
  func segments(_ positions: Range<Int>) -> [Segment] {
    var result: [Segment] = []
    var start = positions.lowerBound
    while start < positions.upperBound {
      let end = min(positions.upperBound, (start / page + 1) * page)
      let first = start % page
      result.append(
        Segment(
          positions: start..<end, page: Int(table[start / page]), rows: first..<first + end - start)
      )
      start = end
    }
    return result
  }

  // MARK: Views

  /// The rows of a segment as [1, tokens, kv heads · head dim], where the heads are side by side.
  func rows(_ part: Part, _ layer: Int, _ segment: Segment) throws(NPUError) -> TensorBinding {
    try view(Self.name(part, layer)) { view throws(NPUError) in
      try view.window(0, segment.page..<segment.page + 1).window(1, segment.rows)
    }
  }

  /// Rows of a page as [1, kv heads, tokens, columns], of a format that is kept by head.
  func byHead(_ name: String, page: Int, _ rows: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in
      try view.window(0, page..<page + 1).window(2, rows)
    }
  }

  /// The tokens of a segment as [1, tokens, kv heads, columns], whatever the format.
  func tokens(_ name: String, _ segment: Segment) throws(NPUError) -> TensorBinding {
    if isByToken {
      return try view(name) { view throws(NPUError) in
        try view.window(0, segment.page..<segment.page + 1).window(1, segment.rows)
          .split(2, into: [model.kvHeads, model.headDim])
      }
    }
    let binding = try byHead(name, page: segment.page, segment.rows)
    return TensorBinding(name, try binding.view.permuted([0, 2, 1, 3]))
  }

  /// The first tokens of a sequence, or the pool, as attention takes them: [pages, kv heads, tokens,
  /// columns].
  func kept(_ name: String, _ tokens: Int) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in
      var view = view
      if isByToken {
        view = try view.split(2, into: [model.kvHeads, model.headDim]).permuted([0, 2, 1, 3])
      }
      return isPaged ? view : try view.window(2, 0..<tokens)
    }
  }

  /// The pages of the first tokens.
  func blockTable(_ tokens: Int) throws(NPUError) -> TensorBinding {
    try view(Self.tableName) { view throws(NPUError) in
      try view.window(1, 0..<(tokens + page - 1) / page)
    }
  }

  /// Rows of the open block as [tokens, kv heads · head dim].
  func open(_ layer: Int, _ rows: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(Self.openName(layer)) { view throws(NPUError) in try view.window(0, rows) }
  }

  private func view(
    _ name: String, _ change: (TensorView) throws(NPUError) -> TensorView
  ) throws(NPUError) -> TensorBinding {
    TensorBinding(name, try change(try memory.form(of: name).whole))
  }
}
