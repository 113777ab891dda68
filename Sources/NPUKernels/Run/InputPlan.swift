import NPUSim

/// Which tensors of a file are which of a kernel's, judged from headers before a word is read.
public struct InputPlan: Sendable {
  /// What a run says about the files its inputs came from.
  public private(set) var notes: RunReport.Inputs
  private let source: TensorSource
  private let specs: [TensorSpec]
  private var routes: [String: InputRoute] = [:]

  /// - Throws: `.usage` for renames that name nothing; `.tensor` for a tensor of the wrong shape or
  ///   type, for a file without any input of the kernel, and for a name that is close to one that would
  ///   come from the seed. With a strict source also for everything that the kernel does not ask for.
  public init(_ specs: [TensorSpec], from source: TensorSource) throws(NPUError) {
    self.source = source
    self.specs = specs
    notes = RunReport.Inputs(origin: source.archive.origin)
    let inputs = specs.filter(\.role.isGiven)
    try source.checkRenames(to: inputs.flatMap(\.fileNames))
    var entries: [(spec: TensorSpec, entry: TensorArchive.Entry)] = []
    for spec in inputs {
      guard let name = source.fileName(of: [spec.name] + spec.aliases),
        let entry = source.archive[name]
      else {
        notes.seeded.append(spec.name)
        continue
      }
      notes.given.append(spec.name)
      entries.append((spec, entry))
    }
    let scales = entries.filter { $0.spec.format == .mxint8 }.map { $0.entry.name + ".scale" }
    try judgeNames(taken: Set(entries.map(\.entry.name) + scales))
    if entries.isEmpty {
      let names = source.archive.entries.map { ForeignText.quoted($0.name) }
      let found =
        names.isEmpty
        ? "" : " among \(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? ", …" : "")"
      throw NPUError(
        .tensor, "\(source.archive.origin ?? "the inputs"): found no input of this kernel\(found)",
        hint: "name at least one of \(inputs.map(\.name).joined(separator: ", ")), in the file or "
          + "with --map NAME=FILE_NAME")
    }
    for (spec, entry) in entries {
      let route = try InputRoute(spec, from: entry, in: source)
      routes[spec.name] = route
      switch route.way {
      case .cast, .scales:
        notes.casts.append(
          .init(name: spec.name, from: route.dtype.rawValue, to: spec.format.dtype.rawValue))
      case .words, .indices, .encode, .pair: break
      }
    }
  }

  /// Sorts out what no tensor of the kernel takes.
  private mutating func judgeNames(taken: Set<String>) throws(NPUError) {
    let known = specs.flatMap(\.fileNames)
    let renamed = Set(source.renames.map(\.fileName))
    let displaced = Set(
      source.renames.flatMap { rename in
        specs.first { $0.fileNames.contains(rename.name) }?.fileNames ?? []
      })
    let names = Set(known).subtracting(displaced).union(taken).union(renamed)
    let seeded = specs.filter { notes.seeded.contains($0.name) }
    for entry in source.archive.entries {
      if source.isStrict, let fault = entry.fault { throw fault }
      if names.contains(entry.name) { continue }
      let near = near(entry, among: seeded)
      let isUnknown =
        "\(source.archive.origin ?? "the inputs"): no tensor of this kernel is named "
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
          .tensor, "\(isUnknown), and \(near.name), of the same shape, would come from the seed",
          hint: "did you mean \(near.name)? --map \(near.name)=\(ForeignText.visible(entry.name)) "
            + "takes it")
      }
      notes.ignored.append(
        .init(name: entry.name, type: entry.type, shape: entry.shape, near: near?.name))
    }
  }

  /// The tensor that an unknown name is probably meant to be.
  private func near(_ entry: TensorArchive.Entry, among seeded: [TensorSpec]) -> TensorSpec? {
    let name = DidYouMean.suggest(entry.name, among: seeded.flatMap(\.fileNames))
    return seeded.first { spec in
      name.map { spec.fileNames.contains($0) } ?? false
        || spec.name.hasSuffix(".\(entry.name)") || entry.name.hasSuffix(".\(spec.name)")
    }
  }

  /// Reads the planned tensors, or of them only the index tensors.
  ///
  /// - Throws: `.io` when they cannot be read.
  func read(indicesOnly: Bool = false) throws(NPUError) -> GivenInputs {
    let wanted = specs.filter { $0.role == .index || !indicesOnly }
    let selections = wanted.flatMap { routes[$0.name]?.selections ?? [] }
    return GivenInputs(
      source, routes: routes, tensors: try source.archive.read(Set(selections)))
  }
}

extension RunRequest {
  /// The plan for a kernel's inputs; `nil` where all of them come from the seed.
  public func inputPlan(_ kernel: any Kernel) throws(NPUError) -> InputPlan? {
    guard let source else { return nil }
    return try InputPlan(kernel.tensors, from: source)
  }
}

extension TensorSpec {
  /// Every name under which files may hold the tensor or its scales.
  var fileNames: [String] {
    let names = [name] + aliases
    return format == .mxint8 ? names + names.map { $0 + ".scale" } : names
  }
}
