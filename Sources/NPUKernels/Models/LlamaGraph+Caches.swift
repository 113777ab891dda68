import NPUSim

/// How keys and values come to where attention reads them.
extension LlamaGraph {
  private var caches: LlamaCaches { tensors.caches }
  private var model: Model { tensors.model }

  /// Whether attention reads the keys and values of a pass before they are kept: where there are no
  /// others. A page would not be read as fast, and MXINT8 would be what attention makes of BF16 itself.
  func readsPass(_ pass: Pass) -> Bool {
    caches.isPaged && !caches.format.isFP8 && pass.count > 1 && pass.first == 0
  }

  /// How many values of the block before a pass are to be encoded with its own.
  private func openRows(_ pass: Pass) -> Int {
    caches.format == .mxint8 ? pass.first % MXINT8.blockSize : 0
  }

  // MARK: Where the projections write

  /// Where the values of a pass are written, [tokens, kv heads · head dim].
  func values(_ layer: Int, _ pass: Pass) throws(NPUError) -> TensorBinding {
    if caches.isByToken {
      return try caches.rows(.value, layer, caches.segments(pass.positions)[0])
    }
    let before = openRows(pass)
    if caches.format == .mxint8 && pass.count == 1 {
      return try caches.open(layer, before..<before + 1)
    }
    return try tensors.rows("v", before..<before + pass.count)
  }

  /// Where the rotated keys of a pass are written, [tokens, kv heads, head dim].
  func rotatedKeys(_ layer: Int, _ pass: Pass) throws(NPUError) -> TensorBinding {
    guard caches.isByToken else { return try tensors.heads("k_rot", model.kvHeads, pass.rows) }
    return try caches.tokens(
      LlamaCaches.name(.key, layer), caches.segments(pass.positions)[0])
  }

  // MARK: Stores

  /// Puts the values of an open block before those of a pass of several tokens.
  func fillUp(_ layer: Int, _ pass: Pass) throws(NPUError) -> Step? {
    let before = openRows(pass)
    guard pass.count > 1, before > 0 else { return nil }
    return try store(
      "layers.\(layer).attn.v_open", ["format": "bf16"], caches.open(layer, 0..<before),
      to: tensors.rows("v", 0..<before))
  }

  /// The launches that bring keys and values of a pass to their pages.
  func stores(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let place = "layers.\(layer).attn"
    switch caches.format {
    case .e4m3fn, .e5m2:
      return [
        try compress("\(place).cache_k", "k_rot", in: .key, layer, pass),
        try compress("\(place).cache_v", "v", in: .value, layer, pass),
      ]
    case .bf16:
      if caches.isByToken { return [] }
      return try keptRows(.key, from: "k_rot", layer, pass)
        + keptRows(.value, from: "v", layer, pass)
    case .mxint8:
      return try keptRows(.key, from: "k_rot", layer, pass) + encodedValues(layer, pass)
    }
  }

  /// Encodes rows to FP8 where attention will read them.
  private func compress(
    _ name: String, _ from: String, in part: LlamaCaches.Part, _ layer: Int, _ pass: Pass
  ) throws(NPUError) -> Step {
    let rows = pass.count * model.kvHeads
    let (cache, scale) = (LlamaCaches.name(part, layer), LlamaCaches.scaleName(part, layer))
    var kept: [Kept] = []
    for segment in caches.segments(pass.positions) {
      for (name, tensor) in [(name, cache), (name + "_scale", scale)] {
        kept.append(Kept(name: name, binding: try caches.tokens(tensor, segment)))
      }
    }
    return Step(
      stage: .cacheStore,
      launch: Launch(
        name,
        KernelCall(
          CompressEpilog.name,
          [
            "tokens": "\(rows)", "dim": "\(model.headDim)", "slots": "\(caches.slots)",
            "format": options.cache.rawValue,
          ]),
        [
          "x": try tensors.heads(from, model.kvHeads, pass.rows),
          "slot_mapping": try tensors.rows("slots", 0..<rows),
          "cache": try tensors.whole(cache), "scale": try tensors.whole(scale),
        ]), kept: kept)
  }

  /// Keeps rows as they are, or with blocks along them, page by page.
  private func keptRows(
    _ part: LlamaCaches.Part, from rows: String, _ layer: Int, _ pass: Pass
  ) throws(NPUError) -> [Step] {
    try caches.segments(pass.positions).map { segment throws(NPUError) in
      let start = segment.positions.lowerBound - pass.first
      return try store(
        "layers.\(layer).attn.cache_\(part.rawValue)", ["format": options.cache.rawValue],
        tensors.byHead(rows, model.kvHeads, start..<start + segment.rows.count),
        to: caches.byHead(LlamaCaches.name(part, layer), page: segment.page, segment.rows))
    }
  }

  /// Encodes the values of a pass with those of the block that it fills up, in whole blocks, page by page;
  /// what is no block by then is kept in BF16, too.
  private func encodedValues(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let name = "layers.\(layer).attn.cache_v"
    let first = pass.first - openRows(pass)
    let end = pass.positions.upperBound
    let isOpen = pass.count == 1
    var steps = try caches.segments(first..<end).map { segment throws(NPUError) in
      let start = segment.positions.lowerBound - first
      let blocks = MXINT8.blocks(segment.rows.count) * MXINT8.blockSize
      return try store(
        name, ["along": "rows"],
        tensors.byHead(
          isOpen ? LlamaCaches.openName(layer) : "v", model.kvHeads,
          start..<start + segment.rows.count),
        to: caches.byHead(
          LlamaCaches.name(.value, layer), page: segment.page,
          segment.rows.lowerBound..<segment.rows.lowerBound + blocks))
    }
    let left = end % MXINT8.blockSize
    if !isOpen && left > 0 {
      steps.append(
        try store(
          "layers.\(layer).attn.v_open", ["format": "bf16"],
          tensors.rows("v", end - first - left..<end - first),
          to: caches.open(layer, 0..<left)))
    }
    return steps
  }

  /// Brings rows, [rows, columns] or [1, slots, rows, columns], to where they are kept.
  private func store(
    _ name: String, _ options: [String: String], _ x: TensorBinding, to out: TensorBinding
  ) throws(NPUError) -> Step {
    let shape = x.view.shape
    let arguments = [
      "slots": shape.count == 4 ? "\(shape[1])" : "1", "rows": "\(shape[shape.count - 2])",
      "cols": "\(shape[shape.count - 1])",
    ]
    return Step(
      stage: .cacheStore,
      launch: Launch(
        name, KernelCall(CacheStore.name, arguments.merging(options) { $1 }),
        ["x": x, "out": out]))
  }

  // MARK: Attention

  /// Gives attention the first tokens of the caches of a layer.
  func bindCaches(
    _ layer: Int, _ tokens: Int, _ bindings: inout TensorBindings,
    _ arguments: inout [String: String]
  ) throws(NPUError) {
    for part in LlamaCaches.Part.allCases {
      bindings[part.rawValue] = try caches.kept(LlamaCaches.name(part, layer), tokens)
      guard caches.format.isFP8 else { continue }
      bindings[part.rawValue + "_scale"] = try caches.kept(
        LlamaCaches.scaleName(part, layer), tokens)
    }
    arguments["kv-format"] = options.cache.rawValue
    guard caches.isPaged else { return }
    arguments["page"] = "\(caches.page)"
    arguments["pages"] = "\(caches.pages)"
    bindings["block_table"] = try caches.blockTable(tokens)
  }
}
