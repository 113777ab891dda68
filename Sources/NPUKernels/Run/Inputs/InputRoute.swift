import NPUSim

/// How a tensor of a file becomes one of a kernel.
struct InputRoute: Sendable {
  enum Way: Sendable {
    /// The words are the kernel's.
    case words
    /// Numbers of rows, slots or tokens, I32 or I64.
    case indices
    /// E8M0 scales where FP32 ones are declared; exact.
    case scales
    /// Rounded once to the declared type.
    case cast
    /// Encoded as MXINT8.
    case encode
    /// An I8 payload with E8M0 scales of this name in the file.
    case pair(scales: String)
  }

  var fileName: String
  /// What the words of the file are.
  var dtype: DType
  var way: Way

  /// Whether the words of the file are not those that a run is given.
  var isConverted: Bool {
    switch way {
    case .words, .pair: false
    case .indices: dtype != .i32
    case .scales, .cast, .encode: true
    }
  }

  /// Judges an entry for a tensor of a kernel, by the header alone.
  ///
  /// - Throws: `.tensor` with what was found and needed.
  init(
    _ spec: TensorSpec, from entry: TensorArchive.Entry, in source: TensorSource
  ) throws(NPUError) {
    if let fault = entry.fault { throw fault }
    fileName = entry.name
    let prefix = source.prefix
    guard entry.shape == spec.shape else {
      throw NPUError(
        .tensor, "\(prefix)\(spec.name) has shape \(entry.shape), needed \(spec.shape)",
        hint: "give the shape flags that match the file, or another file")
    }
    func refusal(_ needed: String, _ hint: String? = nil) -> NPUError {
      NPUError(
        .tensor, "\(prefix)\(spec.name) is \(ForeignText.visible(entry.type)), needed \(needed)",
        hint: hint)
    }
    let candidates = entry.candidates
    if spec.format == .mxint8 {
      if candidates.contains(.i8) {
        (dtype, way) = (.i8, .pair(scales: try Self.scales(spec, entry, source)))
        return
      }
      guard candidates.count == 1, let float = candidates.first, float.isFloat else {
        throw refusal("I8 with \(spec.name).scale, or a float type to be encoded")
      }
      (dtype, way) = (float, .encode)
      return
    }
    let needed = spec.format.dtype
    if candidates.contains(needed) {
      (dtype, way) = (needed, .words)
      return
    }
    guard candidates.count == 1, let found = candidates.first else {
      throw refusal(needed.rawValue)
    }
    dtype = found
    if spec.role == .index {
      guard found == .i64 else { throw refusal("I32, or I64 with values that fit") }
      way = .indices
    } else if needed == .f32, found == .e8m0 {
      way = .scales
    } else if needed.isFloat, needed != .e8m0, Tensor.canRound(found) {
      guard source.casts else {
        throw refusal(needed.rawValue, "--cast rounds it to \(needed.rawValue), once")
      }
      way = .cast
    } else {
      throw refusal(needed.rawValue)
    }
  }

  /// The scales of an MXINT8 payload in the file.
  private static func scales(
    _ spec: TensorSpec, _ entry: TensorArchive.Entry, _ source: TensorSource
  ) throws(NPUError) -> String {
    let own = spec.name + ".scale"
    let name =
      source.renames(to: [own]).first?.fileName ?? entry.name + ".scale"
    guard let scales = source.archive[name] else {
      throw NPUError(
        .tensor,
        "\(source.prefix)\(spec.name) is I8 and needs its scales, the F8_E8M0 tensor "
          + ForeignText.quoted(name),
        hint: DidYouMean.suggest(name, among: source.archive.entries.map(\.name)).map {
          "did you mean \($0)? --map \(own)=\($0)"
        })
    }
    if let fault = scales.fault { throw fault }
    guard scales.candidates.contains(.e8m0) else {
      throw NPUError(
        .tensor,
        "\(source.prefix)\(own) is \(ForeignText.visible(scales.type)), needed F8_E8M0")
    }
    // What is larger than the payload fits no axis and is not read.
    guard try Tensor.elementCount(scales.shape) <= max(1, spec.elements) else {
      throw NPUError(
        .tensor,
        "\(source.prefix)\(own) has shape \(scales.shape), too large for a payload of \(spec.shape)"
      )
    }
    return name
  }

  /// What has to be read.
  var selections: [TensorArchive.Selection] {
    guard case .pair(let scales) = way else { return [.init(fileName, dtype)] }
    return [.init(fileName, dtype), .init(scales, .e8m0)]
  }
}
