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

  /// A launch and what it is for.
  struct Step {
    var stage: LlamaStage
    var launch: Launch
  }

  let tensors: LlamaTensors
  let options: LlamaOptions

  private var model: Model { tensors.model }

  /// The launches of a pass, through the last token's logits to the next token.
  func steps(_ pass: Pass) throws(NPUError) -> [Step] {
    var steps: [Step] = [
      Step(
        stage: .embedding,
        launch: Launch(
          "embedding",
          KernelCall(
            Embedding.name,
            [
              "tokens": "\(pass.count)", "vocab": "\(model.vocabulary)",
              "hidden": "\(model.hidden)",
            ]),
          [
            "ids": try tensors.rows("ids", pass.rows), "table": try tensors.weight(.embedding),
            "out": try tensors.rows("x", pass.rows),
          ]))
    ]
    for layer in 0..<model.layers {
      steps += try attention(layer, pass)
      steps += try feedForward(layer, pass)
    }
    return try steps + answer(pass)
  }

  // MARK: A layer

  private func attention(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let place = "layers.\(layer).attn"
    var steps = [
      try norm(
        .attentionNorm, "\(place).norm", .layer(layer, .attentionNorm),
        from: tensors.rows("x", pass.rows), to: tensors.rows("normed", pass.rows), pass.count)
    ]
    let isPlain = !options.cache.isFP8
    let caches = "layers.\(layer).cache"
    for (stage, part, name, weight) in [
      (LlamaStage.query, "q", "wq", ModelWeight.Part.query), (.key, "k", "wk", .key),
      (.value, "v", "wv", .value),
    ] {
      let out =
        isPlain && part == "v"
        ? try tensors.rows("\(caches).v", pass.positions) : try tensors.rows(part, pass.rows)
      steps.append(
        try linear(
          stage, "\(place).\(name)", .layer(layer, weight),
          from: tensors.rows("normed", pass.rows), to: out, pass.count))
    }
    steps.append(
      try rope(
        "\(place).q_rot", model.heads, pass, from: "q",
        to: tensors.heads("q_rot", model.heads, pass.rows)))
    steps.append(
      try rope(
        "\(place).k_rot", model.kvHeads, pass, from: "k",
        to: isPlain
          ? tensors.heads("\(caches).k", model.kvHeads, pass.positions)
          : tensors.heads("k_rot", model.kvHeads, pass.rows)))
    if !isPlain {
      steps.append(try store("\(place).cache_k", "k_rot", in: "\(caches).k", pass))
      steps.append(try store("\(place).cache_v", "v", in: "\(caches).v", pass))
    }
    steps.append(try scores(layer, pass))
    steps.append(
      try linear(
        .output, "\(place).wo", .layer(layer, .output), from: tensors.rows("attended", pass.rows),
        to: tensors.rows("between", pass.rows), pass.count,
        residual: tensors.rows("x", pass.rows)))
    return steps
  }

  /// Attention of a pass over all that the caches hold by then.
  private func scores(_ layer: Int, _ pass: Pass) throws(NPUError) -> Step {
    let caches = "layers.\(layer).cache"
    let kept = 0..<pass.positions.upperBound
    var bindings: TensorBindings = [
      "q": try tensors.byHead("q_rot", model.heads, pass.rows),
      "out": try tensors.byHead("attended", model.heads, pass.rows),
    ]
    if options.cache.isFP8 {
      bindings["k"] = try tensors.cached("\(caches).k", kept)
      bindings["v"] = try tensors.cached("\(caches).v", kept)
      bindings["k_scale"] = try tensors.cached("\(caches).k_scale", kept)
      bindings["v_scale"] = try tensors.cached("\(caches).v_scale", kept)
    } else {
      bindings["k"] = try tensors.byHead("\(caches).k", model.kvHeads, kept)
      bindings["v"] = try tensors.byHead("\(caches).v", model.kvHeads, kept)
    }
    var arguments = [
      "q": "\(pass.count)", "kv": "\(kept.count)", "heads": "\(model.heads)",
      "kv-heads": "\(model.kvHeads)", "head-dim": "\(model.headDim)", "causal": "true",
      "kv-format": options.cache.rawValue,
    ]
    // The rung of decode takes rows of several heads together, which lie apart but for one token. Both
    // make the same words.
    if pass.count > 1 { arguments["rung"] = FlashRung.pipelined.rawValue }
    return Step(
      stage: .attention,
      launch: Launch(
        "layers.\(layer).attn.heads",
        KernelCall(FlashAttention.name, arguments, schedule: options.schedule), bindings))
  }

  private func feedForward(_ layer: Int, _ pass: Pass) throws(NPUError) -> [Step] {
    let place = "layers.\(layer).ffn"
    return [
      try norm(
        .feedForwardNorm, "\(place).norm", .layer(layer, .feedForwardNorm),
        from: tensors.rows("between", pass.rows), to: tensors.rows("normed", pass.rows),
        pass.count),
      Step(
        stage: .feedForward,
        launch: Launch(
          "\(place).swiglu",
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
          ])),
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
          ])),
    ]
  }

  /// The logits behind the last token of a pass, and the token that they name.
  private func answer(_ pass: Pass) throws(NPUError) -> [Step] {
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
          ["x": try tensors.whole("logits"), "index": try tensors.whole("token")])),
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
        ["x": x, "weight": try tensors.weight(weight), "out": out]))
  }

  private func linear(
    _ stage: LlamaStage, _ name: String, _ weight: ModelWeight, from x: TensorBinding,
    to out: TensorBinding, _ rows: Int, residual: TensorBinding? = nil
  ) throws(NPUError) -> Step {
    let shape = weight.shape(in: model)
    var arguments = ["tokens": "\(rows)", "out": "\(shape[0])", "in": "\(shape[1])"]
    var bindings: TensorBindings = ["x": x, "weight": try tensors.weight(weight), "out": out]
    if let residual {
      arguments["residual"] = "true"
      bindings["residual"] = residual
    }
    return Step(
      stage: stage, launch: Launch(name, KernelCall(Linear.name, arguments), bindings))
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
        ]))
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

  /// Encodes rows to FP8 where attention will read them.
  private func store(
    _ name: String, _ from: String, in cache: String, _ pass: Pass
  ) throws(NPUError) -> Step {
    Step(
      stage: .cacheStore,
      launch: Launch(
        name,
        KernelCall(
          CompressEpilog.name,
          [
            "tokens": "\(pass.count * model.kvHeads)", "dim": "\(model.headDim)",
            "slots": "\(tensors.context * model.kvHeads)", "format": options.cache.rawValue,
          ]),
        [
          "x": try tensors.heads(from, model.kvHeads, pass.rows),
          "slot_mapping": try tensors.rows("slots", 0..<pass.count * model.kvHeads),
          "cache": try tensors.whole(cache), "scale": try tensors.whole(cache + "_scale"),
        ]))
  }
}
