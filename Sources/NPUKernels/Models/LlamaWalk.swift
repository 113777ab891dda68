import NPUSim

/// The way of a token through a Llama, step by step, with the shape of everything on it.
public enum LlamaWalk {
  /// A step, what it makes, and the kernel that makes it.
  public struct Line: Sendable, Hashable {
    /// The name in a dump, or what stands on the way without a launch of its own.
    public var name: String
    /// The shape, or how a shape is read as another one.
    public var shape: String
    public var note: String

    init(_ name: String, _ shape: String, _ note: String) {
      self.name = name
      self.shape = shape
      self.note = note
    }

    var json: JSONValue {
      .object([
        JSONMember("name", .string(name)), JSONMember("shape", .string(shape)),
        JSONMember("note", .string(note)),
      ])
    }
  }

  /// The steps of a pass from a position on.
  ///
  /// - Parameter tokens: those of the pass.
  public static func lines(
    _ model: Model, _ options: LlamaOptions, tokens: [Int], from first: Int, isTied: Bool
  ) -> [Line] {
    let pass = Pass(model: model, options: options, tokens: tokens, first: first)
    return pass.before + pass.projections + pass.attention + pass.feedForward
      + pass.after(isTied: isTied)
  }

  private struct Pass {
    let model: Model
    let options: LlamaOptions
    let tokens: [Int]
    let first: Int

    var count: Int { tokens.count }
    var keys: Int { first + count }
    var isMeta: Bool { options.naming == .meta }

    func name(_ weight: ModelWeight.Part) -> String {
      ModelWeight.layer(0, weight).name(options.naming)
    }

    var before: [Line] {
      let shown = tokens.prefix(24).map(String.init).joined(separator: " ")
      return [
        Line("ids", "[\(count)]", shown + (tokens.count > 24 ? " …" : "")),
        Line(
          "embeddings", "[\(count), \(model.hidden)]",
          "rows of \(ModelWeight.embedding.name(options.naming)) "
            + "[\(model.vocabulary), \(model.hidden)]"),
        Line(
          "layers.0.attn.norm", "[\(count), \(model.hidden)]",
          "rms_norm, epsilon \(model.rmsEpsilon)"),
      ]
    }

    var projections: [Line] {
      let (d, half) = (model.headDim, model.headDim / 2)
      let weights = [
        ("q", ModelWeight.Part.query, model.heads), ("k", .key, model.kvHeads),
        ("v", .value, model.kvHeads),
      ].map { part, weight, heads in
        Line(
          "layers.0.attn.\(part)", "[\(count), \(heads), \(d)]",
          "\(name(weight)) [\(heads * d), \(model.hidden)] as [\(heads), \(d), \(model.hidden)]")
      }
      let pairs = isMeta ? "columns 2i and 2i + 1" : "columns i and i + \(half)"
      return weights + [
        Line("q of a head", "[\(count), \(d)]", "pairs [\(count), \(half), 2]: \(pairs)"),
        Line("frequencies", "[\(half)]", "theta \(model.ropeTheta)"),
        Line(
          "cos, sin", "[\(count), \(half)]",
          "positions \(first) to \(keys - 1), each angle rounded once to FP32"),
        Line("layers.0.attn.q_rot", "[\(count), \(model.heads), \(d)]", "rope"),
        Line("layers.0.attn.k_rot", "[\(count), \(model.kvHeads), \(d)]", "rope, into the cache"),
      ]
    }

    var attention: [Line] {
      let suffix = first > 0 ? ".\(first)" : ""
      let scores = "[\(model.heads), \(count), \(keys)]"
      let d = model.headDim
      return [
        Line(
          "layers.0.attn.scores\(suffix)", scores,
          "q k^T, [\(count), \(keys)] a head; head h reads kv head h / \(model.heads / model.kvHeads)"
        ),
        Line("scaled scores", scores, "scores / √\(d)"),
        Line("mask", "[\(count), \(keys)]", "−∞ where a key is later than the query"),
        Line(
          "layers.0.attn.probabilities\(suffix)", scores, "softmax of each row, rounded to BF16"),
        Line("attention of a head", "[\(count), \(d)]", "probabilities in MXINT8 times v"),
        Line("layers.0.attn.heads", "[\(count), \(model.heads * d)]", "all heads side by side"),
        Line(
          "layers.0.attn.out", "[\(count), \(model.hidden)]",
          "\(name(.output)) [\(model.hidden), \(model.heads * d)], residual added"),
      ]
    }

    var feedForward: [Line] {
      [
        Line("layers.0.ffn.norm", "[\(count), \(model.hidden)]", "rms_norm"),
        Line(
          "gate, up", "[\(count), \(model.ffn)]",
          "\(name(.gate)), \(name(.up)) [\(model.ffn), \(model.hidden)]; silu(gate) · up"),
        Line(
          "layers.0.ffn.swiglu", "[\(count), \(model.hidden)]",
          "\(name(.down)) [\(model.hidden), \(model.ffn)]"),
        Line("layers.0.out", "[\(count), \(model.hidden)]", "residual added"),
        Line(
          "\(model.layers.counted("layer"))", "[\(count), \(model.hidden)]",
          "the same again, up to layers.\(model.layers - 1).out"),
      ]
    }

    func after(isTied: Bool) -> [Line] {
      let head = isTied ? ModelWeight.embedding : .head
      return [
        Line("norm", "[1, \(model.hidden)]", "rms_norm of the last token's row"),
        Line(
          "logits", "[1, \(model.vocabulary)]",
          "\(head.name(options.naming)) [\(model.vocabulary), \(model.hidden)]"),
        Line("token", "[1]", "argmax, the lower number of several"),
      ]
    }
  }

  /// The lines as a table with a heading; nothing where there are none.
  static func text(_ lines: [Line]) -> String {
    guard !lines.isEmpty else { return "" }
    let name = lines.map(\.name.count).max() ?? 0
    let shape = lines.map(\.shape.count).max() ?? 0
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    let indent = name + shape + 4
    let rows = lines.flatMap { line in
      PageRow.broken(line.note, at: max(24, PageRow.width - indent)).enumerated().map {
        $0.offset == 0
          ? "\(padded(line.name, name))  \(padded(line.shape, shape))  \($0.element)"
          : String(repeating: " ", count: indent) + $0.element
      }
    }
    return "\nwalk\n" + rows.joined(separator: "\n") + "\n"
  }
}
