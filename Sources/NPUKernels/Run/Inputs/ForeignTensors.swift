import NPUSim

/// What of a file no tensor of a kernel takes: left out with a line, or refused.
struct ForeignTensors {
  let specs: [TensorSpec]
  let source: TensorSource
  /// Names of the file that tensors of the kernel have.
  let taken: Set<String>
  /// Tensors that the file could give, and does not.
  let missing: [TensorSpec]
  let fate: RunReport.Ignored.Fate

  init(
    _ specs: [TensorSpec], of source: TensorSource, taken: Set<String>, missing: [TensorSpec],
    fate: RunReport.Ignored.Fate
  ) {
    self.specs = specs
    self.source = source
    self.taken = taken
    self.missing = missing
    self.fate = fate
  }

  /// What is left out.
  ///
  /// - Throws: `.tensor` for a name that is close to one that is missing, of the same shape; with a
  ///   strict source for every one.
  func ignored() throws(NPUError) -> [RunReport.Ignored] {
    let known = specs.flatMap(\.fileNames)
    let renames = source.renames(to: known)
    let displaced = Set(
      renames.flatMap { rename in
        specs.first { $0.fileNames.contains(rename.name) }?.fileNames ?? []
      })
    let names = Set(known).subtracting(displaced).union(taken).union(renames.map(\.fileName))
    var ignored: [RunReport.Ignored] = []
    for entry in source.archive.entries {
      if names.contains(entry.name) { continue }
      let near = near(entry, among: known)
      let isUnknown =
        "\(source.archive.origin ?? fate.file): no tensor of this kernel is named "
        + ForeignText.quoted(entry.name)
      if source.isStrict {
        let guess = near?.name ?? DidYouMean.suggest(entry.name, among: known)
        throw NPUError(
          .tensor, isUnknown,
          hint: guess.map { "did you mean \($0)?" }
            ?? "its tensors are \(known.joined(separator: ", "))")
      }
      if let near, near.shape == entry.shape {
        throw NPUError(
          .tensor, "\(isUnknown), and \(near.name), of the same shape, would \(fate.words)",
          hint: "did you mean \(near.name)? --map \(near.name)=\(ForeignText.visible(entry.name)) "
            + "takes it")
      }
      ignored.append(
        .init(
          name: entry.name, type: entry.type, shape: entry.shape, near: near?.name, fate: fate))
    }
    return ignored
  }

  /// The missing tensor that an unknown name is probably meant to be: not one that is closer to a name
  /// that is there.
  private func near(_ entry: TensorArchive.Entry, among known: [String]) -> TensorSpec? {
    let name = DidYouMean.suggest(entry.name, among: known)
    return missing.first { spec in
      name.map { spec.fileNames.contains($0) } ?? false
        || spec.name.hasSuffix(".\(entry.name)") || entry.name.hasSuffix(".\(spec.name)")
    }
  }
}

extension RunReport.Ignored.Fate {
  /// A file without a name.
  fileprivate var file: String {
    switch self {
    case .seeded: "the inputs"
    case .notCompared: "the expected tensors"
    }
  }

  /// What would happen to the missing tensor.
  fileprivate var words: String {
    switch self {
    case .seeded: "come from the seed"
    case .notCompared: "not be compared"
    }
  }
}
