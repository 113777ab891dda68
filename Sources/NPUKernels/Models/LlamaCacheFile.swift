import NPUSim

/// The caches of a run as a file has them: the tokens one after the other, wherever their pages are, with
/// what they belong to in the metadata.
///
/// For each layer `layers.N.cache.k` and `.v`: BF16 [tokens, kv heads, head dim]; FP8 the same with
/// `_scale` [tokens, kv heads, ⌈head dim / 128⌉]; MXINT8 keys the same, and values in blocks of tokens,
/// [blocks, kv heads, 32, head dim] with blocks along the tokens, beside the BF16 of those that are no
/// block yet, `.v_open` [tokens, kv heads · head dim].
struct LlamaCacheFile {
  let caches: LlamaCaches
  let memory: TensorMemory

  /// What a file says of the run that wrote it.
  struct Facts: Hashable {
    /// Shapes, constants of RoPE, and whose names the checkpoint has.
    var model: String
    /// The checksum of all weights.
    var weights: String
    var format: String

    fileprivate static let place = "llama."

    fileprivate var entries: [(key: String, value: String, what: String)] {
      [
        ("model", model, "the model"), ("weights", weights, "weights with the checksum"),
        ("kv_format", format, "--kv-format"),
      ]
    }
  }

  // MARK: Writing

  /// The first tokens of all layers.
  ///
  /// - Parameter next: the token behind them, where there is one.
  func tensors(_ tokens: Int, next: Int?, _ facts: Facts) throws(NPUError) -> TensorSet {
    var set = TensorSet()
    for entry in facts.entries { set.metadata[Facts.place + entry.key] = entry.value }
    set.metadata[Facts.place + "position"] = "\(tokens)"
    if let next { set.metadata[Facts.place + "next_token"] = "\(next)" }
    for layer in 0..<caches.model.layers {
      for piece in try pieces(layer, tokens) {
        var words = TensorWords(payload: [])
        for binding in piece.bindings {
          let read = try memory.read(binding)
          words.payload += read.payload
          words.scales += read.scales
        }
        switch try TensorValue(piece.spec, words) {
        case .plain(let tensor): try set.insert(tensor, named: piece.spec.name)
        case .mx(let tensor): try set.insert(tensor, named: piece.spec.name)
        }
      }
    }
    return set
  }

  // MARK: Reading

  private static func origin(_ archive: TensorArchive) -> String {
    archive.origin.map(ForeignText.visible) ?? "the cache"
  }

  /// How many tokens a file has.
  ///
  /// - Throws: `.tensor` for a file that is no cache.
  static func tokens(in archive: TensorArchive) throws(NPUError) -> Int {
    guard let tokens = archive.metadata[Facts.place + "position"].flatMap({ Int($0) }),
      (1...mostTokens).contains(tokens)
    else {
      throw NPUError(
        .tensor,
        "\(origin(archive)) is no cache of a Llama: found no number of tokens in its metadata, "
          + "\(Facts.place)position", hint: "--cache-out writes one")
    }
    return tokens
  }

  /// No context is longer.
  private static let mostTokens = 1 << 30

  /// What a file holds beside its tensors: how many tokens, and the one behind them.
  ///
  /// - Throws: `.tensor` for a file that is no cache, or one of another model, format or length.
  func check(
    _ archive: TensorArchive, _ facts: Facts, room: Int
  ) throws(NPUError) -> (tokens: Int, next: Int?) {
    let origin = Self.origin(archive)
    let tokens = try Self.tokens(in: archive)
    for entry in facts.entries {
      let found = archive.metadata[Facts.place + entry.key].map(ForeignText.visible) ?? "nothing"
      guard found == entry.value else {
        throw NPUError(
          .tensor, "\(origin) is the cache of \(entry.what) \(found), needed \(entry.value)",
          hint: "go on with the model and the flags that wrote it")
      }
    }
    guard tokens <= room else {
      throw NPUError(
        .tensor, "\(origin) has \(tokens.counted("token")), and there is room for \(room)",
        hint: "use a larger context")
    }
    let next = archive.metadata[Facts.place + "next_token"].flatMap { Int($0) }
    if let next, !(0..<caches.model.vocabulary).contains(next) {
      throw NPUError(
        .tensor,
        "\(origin) goes on with token \(next), which is not in the vocabulary of "
          + "\(caches.model.vocabulary)")
    }
    return (tokens, next)
  }

  /// Takes the tokens of a file into the caches.
  ///
  /// - Throws: `.tensor` for tensors that are missing or of another type or shape; `.io` where they cannot
  ///   be read.
  func restore(_ archive: TensorArchive, _ tokens: Int) throws(NPUError) {
    let origin = Self.origin(archive)
    let set = try archive.readAll()
    for layer in 0..<caches.model.layers {
      for piece in try pieces(layer, tokens) {
        let spec = piece.spec
        var words = TensorWords(
          payload: try set.tensor(
            named: spec.name, dtype: spec.format.dtype, shape: spec.shape
          ).storage)
        if spec.format == .mxint8 {
          let pair = try set.mxTensor(named: spec.name, expectedAxis: spec.fileAxis)
          guard pair.axis - spec.shape.count == spec.fileAxis else {
            throw NPUError(
              .tensor,
              "\(origin): the blocks of \(spec.name) run along axis "
                + "\(pair.axis - spec.shape.count), needed \(spec.fileAxis)")
          }
          words.scales = pair.scale.storage
        }
        try write(words, to: piece)
      }
    }
  }

  /// Deals words out to the places of a tensor, one after the other.
  private func write(_ words: TensorWords, to piece: Piece) throws(NPUError) {
    let rows = piece.spec.shape[0]
    let (payload, scales) = (words.payload.count / rows, words.scales.count / rows)
    var row = 0
    for binding in piece.bindings {
      let count = binding.view.elements * rows / max(1, piece.spec.elements)
      try memory.write(
        TensorWords(
          payload: Array(words.payload[row * payload..<(row + count) * payload]),
          scales: Array(words.scales[row * scales..<(row + count) * scales])), to: binding)
      row += count
    }
  }

  // MARK: Places

  /// A tensor of the file, and where its rows are, one view after the other.
  private struct Piece {
    var spec: TensorSpec
    var bindings: [TensorBinding]
  }

  private func pieces(_ layer: Int, _ tokens: Int) throws(NPUError) -> [Piece] {
    var pieces: [Piece] = []
    for part in LlamaCaches.Part.allCases {
      let name = LlamaCaches.name(part, layer)
      if caches.format == .mxint8 && part == .value {
        pieces += try blocks(layer, tokens)
        continue
      }
      pieces.append(try rows(name, caches.format.element, caches.model.headDim, tokens))
      guard caches.format.isFP8 else { continue }
      pieces.append(
        try rows(
          LlamaCaches.scaleName(part, layer), .f32, FP8Block.blocks(caches.model.headDim), tokens))
    }
    return pieces
  }

  /// Rows of tokens, [tokens, kv heads, columns].
  private func rows(
    _ name: String, _ format: ElementFormat, _ columns: Int, _ tokens: Int
  ) throws(NPUError) -> Piece {
    let bindings = try caches.segments(0..<tokens).map { segment throws(NPUError) in
      try caches.tokens(name, segment)
    }
    return Piece(
      spec: TensorSpec(name, format, [tokens, caches.model.kvHeads, columns], role: .output),
      bindings: bindings)
  }

  /// Values in MXINT8, and in BF16 those of the last block as long as it is not whole.
  private func blocks(_ layer: Int, _ tokens: Int) throws(NPUError) -> [Piece] {
    let (name, size) = (LlamaCaches.name(.value, layer), MXINT8.blockSize)
    let count = MXINT8.blocks(tokens)
    var bindings: [TensorBinding] = []
    for segment in caches.segments(0..<count * size) {
      for row in stride(from: segment.rows.lowerBound, to: segment.rows.upperBound, by: size) {
        bindings.append(try caches.byHead(name, page: segment.page, row..<row + size))
      }
    }
    var pieces = [
      Piece(
        spec: TensorSpec(
          name, .mxint8, [count, caches.model.kvHeads, size, caches.model.headDim],
          axis: .alongRows, role: .output), bindings: bindings)
    ]
    let open = tokens % size
    if open > 0 {
      pieces.append(
        Piece(
          spec: TensorSpec(
            LlamaCaches.openName(layer), .bf16, [open, caches.keyWidth], role: .output),
          bindings: [try caches.open(layer, 0..<open)]))
    }
    return pieces
  }
}
