import NPUSim

/// The tensors of a Llama in HBM that outlive its launches: weights, caches and activations.
struct LlamaTensors {
  let memory: TensorMemory
  let model: Model
  /// Tokens that a pass may have.
  let rows: Int
  let caches: LlamaCaches
  let isTied: Bool

  /// Declares every tensor; but for the pages' places none has words yet.
  ///
  /// - Throws: as ``LlamaCaches/init(_:_:_:context:)``.
  init(
    _ memory: TensorMemory, _ model: Model, _ options: LlamaOptions, rows: Int, context: Int,
    isTied: Bool
  ) throws(NPUError) {
    self.memory = memory
    self.model = model
    self.rows = rows
    self.isTied = isTied
    caches = try LlamaCaches(memory, model, options, context: context)
    try declareActivations()
    try declare(Self.name(.embedding), .bf16, ModelWeight.embedding.shape(in: model))
    for weight in ModelWeight.all(of: model, isTied: isTied) where weight != .embedding {
      let isMatrix = weight.shape(in: model).count == 2
      try declare(Self.name(weight), isMatrix ? .mxint8 : .bf16, weight.shape(in: model))
    }
    if isTied { try declare(Self.name(.head), .mxint8, ModelWeight.head.shape(in: model)) }
  }

  private func declareActivations() throws(NPUError) {
    try declare("ids", .i32, [rows])
    try declare("rope.inv_freq", .f32, [model.headDim / 2])
    for name in ["x", "normed", "between", "ffn"] {
      try declare(name, .bf16, [rows, model.hidden])
    }
    for name in ["gate", "inner"] { try declare(name, .bf16, [rows, model.ffn]) }
    for name in ["q", "q_rot", "attended"] { try declare(name, .bf16, [rows, queryWidth]) }
    for name in ["k", "k_rot"] { try declare(name, .bf16, [rows, keyWidth]) }
    // Before the values of a pass there is room for those of a block that it fills up.
    try declare("v", .bf16, [rows + MXINT8.blockSize - 1, keyWidth])
    try declare("last", .bf16, [1, model.hidden])
    try declare("logits", .bf16, [1, model.vocabulary])
    try declare("token", .i32, [1])
    if caches.format.isFP8 { try declare("slots", .i32, [rows * model.kvHeads]) }
  }

  private func declare(
    _ name: String, _ format: ElementFormat, _ shape: [Int]
  ) throws(NPUError) {
    try memory.declare(name, TensorForm(format, shape))
  }

  var queryWidth: Int { model.heads * model.headDim }
  var keyWidth: Int { caches.keyWidth }

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

  private func view(
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

  /// Reads the weights of a checkpoint, one after the other; returns a checksum of all of them.
  func load(_ checkpoint: Checkpoint) throws(NPUError) -> String {
    var sum = Checksum()
    for weight in ModelWeight.all(of: model, isTied: isTied) {
      let isMatrix = weight != .embedding && weight.shape(in: model).count == 2
      if isMatrix {
        try load(checkpoint.encodedWeight(weight), as: weight, &sum)
      } else {
        try load(checkpoint.weight(weight), as: weight, &sum)
      }
    }
    if isTied { try load(checkpoint.encodedWeight(.embedding), as: .head, &sum) }
    return sum.text
  }

  /// Makes weights from a seed, each by its name; returns a checksum of all of them.
  func load(seed: UInt64) throws(NPUError) -> String {
    var sum = Checksum()
    for weight in ModelWeight.all(of: model, isTied: false) {
      let source = SeededInput(seed: seed, name: Self.name(weight))
      let shape = weight.shape(in: model)
      if weight != .embedding && shape.count == 2 {
        let spec = TensorSpec("", .mxint8, shape, role: .input)
        try load(HostEncoder.encode(source, spec), as: weight, &sum)
      } else {
        try load(source.tensor(shape: shape), as: weight, &sum)
      }
    }
    return sum.text
  }

  private func load(
    _ tensor: Tensor, as weight: ModelWeight, _ sum: inout Checksum
  ) throws(NPUError) {
    sum.add(tensor.storage)
    try memory.write(TensorWords(payload: tensor.storage), to: self.weight(weight))
  }

  private func load(
    _ tensor: MXTensor, as weight: ModelWeight, _ sum: inout Checksum
  ) throws(NPUError) {
    sum.add(tensor.payload.storage)
    sum.add(tensor.scale.storage)
    try memory.write(
      TensorWords(payload: tensor.payload.storage, scales: tensor.scale.storage),
      to: self.weight(weight))
  }

  /// FNV-1a over the words of 64 bits of several tensors, the last of each filled up with zeros.
  private struct Checksum {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { bytes in
        let whole = bytes.count & ~7
        for place in stride(from: 0, to: whole, by: 8) {
          take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
        }
        if whole < bytes.count {
          take(bytes[whole...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
      }
    }

    private mutating func take(_ word: UInt64) {
      state = (state ^ word) &* 0x0000_0100_0000_01B3
    }

    var text: String { String(state, radix: 16) }
  }
}
