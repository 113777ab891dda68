import NPUSim

/// The tensors of a file that a kernel has, under the kernel's names; the rest of the file is not read.
struct ExpectedTensors {
  private(set) var set = TensorSet()
  /// What of the file no tensor of the kernel is.
  private(set) var ignored: [RunReport.Ignored] = []

  /// - Throws: `.io` when the file cannot be read, `.tensor` for a type that is not known, for names as
  ///   ``ForeignTensors`` says, and for numbers that a cast cannot round.
  init(_ specs: [TensorSpec], from source: TensorSource) throws(NPUError) {
    set.origin = source.archive.origin
    set.metadata = source.archive.metadata
    var wanted: [(name: String, format: DType, selection: TensorArchive.Selection)] = []
    var missing: [TensorSpec] = []
    for spec in specs {
      let found = Self.names(of: spec, in: source)
      if found.isEmpty { missing.append(spec) }
      for (name, fileName) in found {
        guard let entry = source.archive[fileName] else { continue }
        let format =
          spec.format == .mxint8 ? name.hasSuffix(".scale") ? DType.e8m0 : .i8 : spec.format.dtype
        wanted.append((name, format, try Self.selection(entry, name, format, source)))
        set.metadata[name + ".axis"] = source.archive.metadata[fileName + ".axis"]
      }
    }
    ignored = try ForeignTensors(
      specs, of: source, taken: Set(wanted.map(\.selection.name)), missing: missing,
      fate: .notCompared
    ).ignored()
    let tensors = try source.archive.read(Set(wanted.map(\.selection)))
    for (name, format, selection) in wanted {
      guard let tensor = tensors[selection] else { continue }
      let isCast =
        source.casts && format.isFloat && format != .e8m0 && tensor.dtype != format
        && Tensor.canRound(tensor.dtype)
      try set.insert(isCast ? try tensor.rounded(to: format) : tensor, named: name)
    }
  }

  /// Adds what the tensors take that would be read, and MXINT8 ones in numbers.
  static func add(_ specs: [TensorSpec], from source: TensorSource, to need: inout MemoryNeed) {
    for spec in specs {
      for (_, fileName) in names(of: spec, in: source) {
        guard let entry = source.archive[fileName], let type = entry.candidates.first else {
          continue
        }
        // A header whose shape and bytes do not agree is refused when it is read.
        let elements = entry.shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        need.add("files", elements, times: type.byteCount + (spec.format == .mxint8 ? 4 : 0))
      }
    }
  }

  /// The names of a tensor and of its scales, and what the file calls them.
  private static func names(
    of spec: TensorSpec, in source: TensorSource
  ) -> [(name: String, fileName: String)] {
    let suffixes = spec.format == .mxint8 ? ["", ".scale"] : [""]
    // What is renamed is known by that name alone.
    if let rename = source.renames(to: [spec.name] + spec.aliases).first {
      return suffixes.map { suffix in
        let own = source.renames(to: [rename.name + suffix]).first?.fileName
        return (spec.name + suffix, own ?? rename.fileName + suffix)
      }.filter { source.archive[$0.fileName] != nil }
    }
    return ([spec.name] + spec.aliases).flatMap { name in
      suffixes.map { suffix in
        (name + suffix, source.renames(to: [name + suffix]).first?.fileName ?? name + suffix)
      }
    }.filter { source.archive[$0.1] != nil }
  }

  /// What the words of an entry are: of the kernel's type where they may be, else of their own.
  private static func selection(
    _ entry: TensorArchive.Entry, _ name: String, _ needed: DType, _ source: TensorSource
  ) throws(NPUError) -> TensorArchive.Selection {
    if let fault = entry.fault { throw fault }
    if entry.candidates.contains(needed) { return .init(entry.name, needed) }
    guard entry.candidates.count == 1, let dtype = entry.candidates.first else {
      throw NPUError(
        .tensor,
        "\(source.prefix)\(name) is \(ForeignText.visible(entry.type)), this run makes "
          + needed.rawValue)
    }
    return .init(entry.name, dtype)
  }
}
