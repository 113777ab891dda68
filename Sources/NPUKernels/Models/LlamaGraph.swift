import NPUSim

/// The launches of a Llama, one after another: each a kernel bound to views of the model's tensors.
struct LlamaGraph {
  /// Tokens that are run together.
  struct Pass: Hashable {
    /// The position of the first: how many the caches hold before.
    var first: Int
    var count: Int

    var positions: Range<Int> { first..<first + count }
    /// Every row of the activations.
    var rows: Range<Int> { 0..<count }
  }

  /// A launch, what it is for, and what a dump has of it.
  struct Step {
    var stage: LlamaStage
    var launch: Launch
    var kept: [Kept] = []
  }

  /// What a dump has of a launch: a name, and where the words are.
  struct Kept {
    enum Place {
      /// A row for each token of the pass, or one.
      case memory(TensorBinding)
      /// An intermediate of the kernel's by its name, and what it is.
      case inner(String, ElementFormat, [Int])
    }

    var name: String
    var place: Place

    init(name: String, binding: TensorBinding) {
      self.name = name
      place = .memory(binding)
    }

    init(name: String, inner: String, _ format: ElementFormat, _ shape: [Int]) {
      self.name = name
      place = .inner(inner, format, shape)
    }

    /// The format, and the shape without what is around the rows.
    var form: (format: ElementFormat, shape: [Int]) {
      switch place {
      case .inner(_, let format, let shape): return (format, shape)
      case .memory(let binding):
        let shape = binding.view.shape
        return (binding.view.form.format, shape.count == 4 ? Array(shape.dropFirst()) : shape)
      }
    }

    /// The kernel's name of an intermediate.
    var inner: String? {
      if case .inner(let name, _, _) = place { name } else { nil }
    }
  }

  let tensors: LlamaTensors
  let options: LlamaOptions
  let machine: MachineConfiguration

  /// What the matrix unit drains.
  var drained: ElementFormat { machine.matrix.accumulator.format }

  private var model: Model { tensors.model }

  /// The launches of a pass, through the last token's logits to the next token.
  func steps(_ pass: Pass) throws(NPUError) -> [Step] {
    var steps = [try embedding(pass)]
    for layer in 0..<model.layers { steps += try self.layer(layer, pass) }
    return try steps + answer(pass)
  }

  /// The rows of the tokens.
  func embedding(_ pass: Pass) throws(NPUError) -> Step {
    let (ids, out) = (try tensors.rows("ids", pass.rows), try tensors.rows("x", pass.rows))
    return Step(
      stage: .embedding,
      launch: Launch(
        "embeddings",
        KernelCall(
          Embedding.name,
          [
            "tokens": "\(pass.count)", "vocab": "\(model.vocabulary)",
            "hidden": "\(model.hidden)",
          ]), ["ids": ids, "table": try tensors.weight(.embedding), "out": out]),
      kept: [Kept(name: "ids", binding: ids), Kept(name: "embeddings", binding: out)])
  }

  /// The launches of a layer.
  func layer(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    try attention(layer, pass) + feedForward(layer, pass)
  }

  // MARK: A layer

  private func attention(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let place = "layers.\(layer).attn"
    var steps = [
      try norm(
        .attentionNorm, "\(place).norm", .layer(layer, .attentionNorm),
        from: tensors.rows("x", pass.rows), to: tensors.rows("normed", pass.rows), pass.count)
    ]
    if let step = try fillUp(layer, pass) { steps.append(step) }
    for (stage, part, weight) in [
      (LlamaStage.query, "q", ModelWeight.Part.query), (.key, "k", .key), (.value, "v", .value),
    ] {
      let out = part == "v" ? try values(layer, pass) : try tensors.rows(part, pass.rows)
      var step = try linear(
        stage, "\(place).\(part)", .layer(layer, weight),
        from: tensors.rows("normed", pass.rows), to: out, pass.count)
      let heads = try heads(out, part == "q" ? model.heads : model.kvHeads)
      step.kept = [Kept(name: "\(place).\(part)", binding: heads)]
      steps.append(step)
    }
    steps.append(
      try rope(
        "\(place).q_rot", model.heads, pass, from: "q",
        to: tensors.heads("q_rot", model.heads, pass.rows)))
    steps.append(
      try rope("\(place).k_rot", model.kvHeads, pass, from: "k", to: rotatedKeys(layer, pass)))
    steps += try stores(layer, pass)
    steps.append(try scores(layer, pass))
    steps.append(
      try linear(
        .output, "\(place).out", .layer(layer, .output), from: tensors.rows("attended", pass.rows),
        to: tensors.rows("between", pass.rows), pass.count,
        partner: ("residual", tensors.rows("x", pass.rows))))
    return steps
  }

  /// Rows [tokens, heads · head dim] as [tokens, heads, head dim].
  private func heads(_ rows: TensorBinding, _ count: Int) throws(NPUError) -> TensorBinding {
    TensorBinding(rows.tensor, try rows.view.split(-1, into: [count, model.headDim]))
  }

  /// Attention of a pass over all that the caches hold by then.
  private func scores(_ layer: Int, _ pass: Pass) throws(NPUError) -> Step {
    let place = "layers.\(layer).attn"
    let kept = 0..<pass.positions.upperBound
    var bindings: TensorBindings = [
      "q": try tensors.byHead("q_rot", model.heads, pass.rows),
      "out": try tensors.byHead("attended", model.heads, pass.rows),
    ]
    var arguments = [
      "q": "\(pass.count)", "kv": "\(kept.count)", "heads": "\(model.heads)",
      "kv-heads": "\(model.kvHeads)", "head-dim": "\(model.headDim)", "causal": "true",
    ]
    var schedule = options.schedule
    if readsPass(pass) {
      bindings["k"] = try tensors.byHead("k_rot", model.kvHeads, pass.rows)
      bindings["v"] = try tensors.byHead("v", model.kvHeads, pass.rows)
    } else {
      try bindCaches(layer, kept.count, &bindings, &arguments)
    }
    // The rung of decode takes rows of several heads together, which lie apart but for one token. All
    // rungs but the unfused one make the same words.
    if options.isUnfused {
      arguments["rung"] = FlashRung.unfused.rawValue
    } else if pass.count > 1, arguments["page"] == nil {
      arguments["rung"] = FlashRung.pipelined.rawValue
    } else if pass.count > 1 {
      arguments["rung"] = FlashRung.decode.rawValue
      if !schedule.contains("tile.heads=") { schedule += ",tile.heads=1" }
    }
    let heads = Kept(name: "\(place).heads", binding: try tensors.rows("attended", pass.rows))
    return Step(
      stage: .attention,
      launch: Launch(
        heads.name, KernelCall(FlashAttention.name, arguments, schedule: schedule), bindings),
      kept: unfused(place, pass) + [heads])
  }

  /// What the unfused attention writes out: a tensor for each pass, as each has its own number of keys.
  private func unfused(_ place: String, _ pass: Pass) -> [Kept] {
    guard options.isUnfused else { return [] }
    let shape = [model.heads, pass.count, pass.positions.upperBound]
    let suffix = pass.first > 0 ? ".\(pass.first)" : ""
    return [("scores", drained), ("probabilities", .bf16)].map { name, format in
      Kept(name: "\(place).\(name)\(suffix)", inner: name, format, shape)
    }
  }

  private func feedForward(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let norm = try norm(
      .feedForwardNorm, "layers.\(layer).ffn.norm", .layer(layer, .feedForwardNorm),
      from: tensors.rows("between", pass.rows), to: tensors.rows("normed", pass.rows), pass.count)
    return try [norm] + (weightsPassOnce(pass) ? swiglu(layer, pass) : products(layer, pass))
  }

  /// Whether `l1` holds the rows of a pass, so that the weights of swiglu cross HBM once. Where they would
  /// do so more often three products take less, as each keeps what it can. Both make the same words.
  private func weightsPassOnce(_ pass: Pass) -> Bool {
    let blocks = MXINT8.blocks(max(model.hidden, model.ffn))
    let bytes = pass.count * blocks * (MXINT8.blockSize + 1)
    return bytes <= machine[.l1].bytes ?? .max
  }

  private func swiglu(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    [
      Step(
        stage: .feedForward,
        launch: Launch(
          "layers.\(layer).ffn.swiglu",
          KernelCall(
            Swiglu.name,
            [
              "tokens": "\(pass.count)", "hidden": "\(model.hidden)", "ffn": "\(model.ffn)",
            ]),
          [
            "x": try tensors.rows("normed", pass.rows),
            "w1": try tensors.weight(.layer(layer, .gate)),
            "w2": try tensors.weight(.layer(layer, .down)),
            "w3": try tensors.weight(.layer(layer, .up)),
            "out": try tensors.rows("ffn", pass.rows),
          ]),
        kept: [
          Kept(name: "layers.\(layer).ffn.swiglu", binding: try tensors.rows("ffn", pass.rows))
        ]),
      Step(
        stage: .residual,
        launch: Launch(
          "layers.\(layer).out",
          KernelCall(
            ResidualAdd.name, ["rows": "\(pass.count)", "cols": "\(model.hidden)"]),
          [
            "x": try tensors.rows("ffn", pass.rows),
            "residual": try tensors.rows("between", pass.rows),
            "out": try tensors.rows("x", pass.rows),
          ]),
        kept: [Kept(name: "layers.\(layer).out", binding: try tensors.rows("x", pass.rows))]),
    ]
  }

  /// The words of swiglu and of the residual: the product with the gate's weights is rounded as its a, that
  /// with the other ones as its u, and that with the last ones as its output.
  private func products(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let place = "layers.\(layer).ffn"
    let (normed, gate) = (
      try tensors.rows("normed", pass.rows), try tensors.rows("gate", pass.rows)
    )
    let inner = try tensors.rows("inner", pass.rows)
    return [
      try linear(
        .gate, "\(place).gate", .layer(layer, .gate), from: normed, to: gate, pass.count),
      try linear(
        .up, "\(place).up", .layer(layer, .up), from: normed, to: inner, pass.count,
        partner: ("gate", gate)),
      try linear(
        .down, "layers.\(layer).out", .layer(layer, .down), from: inner,
        to: tensors.rows("x", pass.rows), pass.count,
        partner: ("residual", tensors.rows("between", pass.rows))),
    ]
  }

  /// The logits behind the last token of a pass, and the token that they name.
  func answer(_ pass: Pass) throws(NPUError) -> [Step] {
    [
      try norm(
        .norm, "norm", .norm, from: tensors.rows("x", pass.count - 1..<pass.count),
        to: tensors.whole("last"), 1),
      try linear(
        .head, "logits", .head, from: tensors.whole("last"), to: tensors.whole("logits"), 1),
      Step(
        stage: .argmax,
        launch: Launch(
          "token", KernelCall(Argmax.name, ["rows": "1", "cols": "\(model.vocabulary)"]),
          ["x": try tensors.whole("logits"), "index": try tensors.whole("token")]),
        kept: [Kept(name: "token", binding: try tensors.whole("token"))]),
    ]
  }

  // MARK: Kernels

  private func norm(
    _ stage: LlamaStage, _ name: String, _ weight: ModelWeight, from x: TensorBinding,
    to out: TensorBinding, _ rows: Int
  ) throws(NPUError) -> Step {
    Step(
      stage: stage,
      launch: Launch(
        name,
        KernelCall(
          RMSNorm.name,
          [
            "rows": "\(rows)", "cols": "\(model.hidden)", "eps": "\(model.rmsEpsilon)",
            "form": "llama",
          ]),
        ["x": x, "weight": try tensors.weight(weight), "out": out]),
      kept: [Kept(name: name, binding: out)])
  }

  private func linear(
    _ stage: LlamaStage, _ name: String, _ weight: ModelWeight, from x: TensorBinding,
    to out: TensorBinding, _ rows: Int, partner: (name: String, tensor: TensorBinding)? = nil
  ) throws(NPUError) -> Step {
    let shape = weight.shape(in: model)
    var arguments = ["tokens": "\(rows)", "out": "\(shape[0])", "in": "\(shape[1])"]
    var bindings: TensorBindings = ["x": x, "weight": try tensors.weight(weight), "out": out]
    if let partner {
      arguments[partner.name] = "true"
      bindings[partner.name] = partner.tensor
    }
    return Step(
      stage: stage, launch: Launch(name, KernelCall(Linear.name, arguments), bindings),
      kept: [Kept(name: name, binding: out)])
  }

  private func rope(
    _ name: String, _ heads: Int, _ pass: Pass, from x: String, to out: TensorBinding
  ) throws(NPUError) -> Step {
    Step(
      stage: .rope,
      launch: Launch(
        name, ropeCall(heads, pass),
        [
          "rope.inv_freq": try tensors.whole("rope.inv_freq"),
          "x": try tensors.heads(x, heads, pass.rows), "out": out,
        ]), kept: [Kept(name: name, binding: out)])
  }

  /// Rotates the heads of a pass; angles and tables are FP32.
  func ropeCall(_ heads: Int, _ pass: Pass) -> KernelCall {
    var arguments = [
      "positions": "\(pass.count)", "heads": "\(heads)", "head-dim": "\(model.headDim)",
      "table": "fp32", "layout": options.naming == .huggingFace ? "half" : "interleaved",
    ]
    if pass.first > 0 { arguments["first-position"] = "\(pass.first)" }
    return KernelCall(Rope.name, arguments)
  }
}
