import NPUSim

/// The tensors of a Llama in HBM that outlive its launches: weights, caches and activations.
///
/// Caches in BF16 are [context, kv heads · head dim]: RoPE writes keys, and the projection values, where
/// attention reads them. FP8 caches are [kv heads, context, head dim] with a scale for 128 columns.
struct LlamaTensors {
  let memory: TensorMemory
  let model: Model
  /// Tokens that a pass may have, and those that the caches hold.
  let rows: Int
  let context: Int
  let cache: LlamaOptions.CacheFormat
  let isTied: Bool

  /// Declares every tensor; none has words yet.
  init(
    _ memory: TensorMemory, _ model: Model, rows: Int, context: Int,
    cache: LlamaOptions.CacheFormat, isTied: Bool
  ) throws(NPUError) {
    self.memory = memory
    self.model = model
    self.rows = rows
    self.context = context
    self.cache = cache
    self.isTied = isTied
    try declare("ids", .i32, [rows])
    try declare("rope.inv_freq", .f32, [model.headDim / 2])
    for name in ["x", "normed", "between", "ffn"] {
      try declare(name, .bf16, [rows, model.hidden])
    }
    for name in ["q", "q_rot", "attended"] { try declare(name, .bf16, [rows, queryWidth]) }
    for name in ["k", "v", "k_rot"] { try declare(name, .bf16, [rows, keyWidth]) }
    try declare("last", .bf16, [1, model.hidden])
    try declare("logits", .bf16, [1, model.vocabulary])
    try declare("token", .i32, [1])
    if cache.isFP8 { try declare("slots", .i32, [rows * model.kvHeads]) }
    for layer in 0..<model.layers { try declareCaches(layer) }
    try declare(Self.name(.embedding), .bf16, ModelWeight.embedding.shape(in: model))
    for weight in ModelWeight.all(of: model, isTied: isTied) where weight != .embedding {
      let isMatrix = weight.shape(in: model).count == 2
      try declare(Self.name(weight), isMatrix ? .mxint8 : .bf16, weight.shape(in: model))
    }
    if isTied { try declare(Self.name(.head), .mxint8, ModelWeight.head.shape(in: model)) }
  }

  private func declareCaches(_ layer: Int) throws(NPUError) {
    for part in ["k", "v"] {
      let name = "layers.\(layer).cache.\(part)"
      guard cache.isFP8 else {
        try declare(name, .bf16, [context, keyWidth])
        continue
      }
      try declare(name, cache.element, [model.kvHeads, context, model.headDim])
      try declare(name + "_scale", .f32, [model.kvHeads, context, (model.headDim + 127) / 128])
    }
  }

  private func declare(
    _ name: String, _ format: ElementFormat, _ shape: [Int]
  ) throws(NPUError) {
    try memory.declare(name, TensorForm(format, shape))
  }

  var queryWidth: Int { model.heads * model.headDim }
  var keyWidth: Int { model.kvHeads * model.headDim }

  /// The name of a weight, as Meta has it.
  static func name(_ weight: ModelWeight) -> String { weight.name(.meta) }

  // MARK: Views

  /// All of a tensor.
  func whole(_ name: String) throws(NPUError) -> TensorBinding { try memory.whole(name) }

  /// All of a weight.
  func weight(_ weight: ModelWeight) throws(NPUError) -> TensorBinding {
    try memory.whole(Self.name(weight))
  }

  /// The first rows of an activation.
  func rows(_ name: String, _ range: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in try view.window(0, range) }
  }

  /// Rows of an activation [tokens, heads · head dim] as [tokens, heads, head dim].
  func heads(_ name: String, _ count: Int, _ range: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in
      try view.window(0, range).split(1, into: [count, model.headDim])
    }
  }

  /// The same as [1, heads, tokens, head dim].
  func byHead(_ name: String, _ count: Int, _ range: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in
      try view.window(0, range).split(1, into: [count, model.headDim]).permuted([1, 0, 2])
        .split(0, into: [1, count])
    }
  }

  /// Tokens of a cache [kv heads, context, …] as [1, kv heads, tokens, …].
  func cached(_ name: String, _ range: Range<Int>) throws(NPUError) -> TensorBinding {
    try view(name) { view throws(NPUError) in
      try view.window(1, range).split(0, into: [1, model.kvHeads])
    }
  }

  func view(
    _ name: String, _ change: (TensorView) throws(NPUError) -> TensorView
  ) throws(NPUError) -> TensorBinding {
    TensorBinding(name, try change(try memory.form(of: name).whole))
  }

  // MARK: Words

  /// Writes numbers of 32 bits.
  func write(_ numbers: [Int32], to binding: TensorBinding) throws(NPUError) {
    let words = try Tensor(words: numbers, dtype: .i32, shape: [numbers.count])
    try memory.write(TensorWords(payload: words.storage), to: binding)
  }

  /// Reads the weights of a checkpoint, one after the other.
  func load(_ checkpoint: Checkpoint) throws(NPUError) {
    for weight in ModelWeight.all(of: model, isTied: isTied) {
      let isMatrix = weight != .embedding && weight.shape(in: model).count == 2
      if isMatrix {
        try load(checkpoint.encodedWeight(weight), as: weight)
      } else {
        let tensor = try checkpoint.weight(weight)
        try memory.write(TensorWords(payload: tensor.storage), to: self.weight(weight))
      }
    }
    if isTied { try load(checkpoint.encodedWeight(.embedding), as: .head) }
  }

  /// Makes weights from a seed, each by its name.
  func load(seed: UInt64) throws(NPUError) {
    for weight in ModelWeight.all(of: model, isTied: false) {
      let source = SeededInput(seed: seed, name: Self.name(weight))
      let shape = weight.shape(in: model)
      if weight != .embedding && shape.count == 2 {
        let spec = TensorSpec("", .mxint8, shape, role: .input)
        try load(HostEncoder.encode(source, spec), as: weight)
      } else {
        try memory.write(
          TensorWords(payload: source.tensor(shape: shape).storage), to: self.weight(weight))
      }
    }
  }

  private func load(_ tensor: MXTensor, as weight: ModelWeight) throws(NPUError) {
    try memory.write(
      TensorWords(payload: tensor.payload.storage, scales: tensor.scale.storage),
      to: self.weight(weight))
  }
}
