import NPUSim

/// Which tensors of a file are which of a kernel's, judged from headers before a word is read.
public struct InputPlan: Sendable {
  /// What a run says about the files its inputs came from.
  public private(set) var notes: RunReport.Inputs
  private let source: TensorSource
  private let specs: [TensorSpec]
  private var routes: [String: InputRoute] = [:]

  /// - Throws: `.tensor` for a tensor of the wrong shape or type, for a file without any input of the kernel, and for a name that is close to one that would
  ///   come from the seed. With a strict source also for everything that the kernel does not ask for.
  public init(_ specs: [TensorSpec], from source: TensorSource) throws(NPUError) {
    self.source = source
    self.specs = specs
    notes = RunReport.Inputs(origin: source.archive.origin)
    let inputs = specs.filter(\.role.isGiven)
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
    notes.ignored = try ForeignTensors(
      specs, of: source, taken: Set(entries.map(\.entry.name) + scales),
      missing: specs.filter { notes.seeded.contains($0.name) }, fate: .seeded
    ).ignored()
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

  /// Adds what conversions take beside the words that a run is given: the tensors as the file has
  /// them, and of one at a time its FP32 numbers, and its words of eight bytes.
  func addConversions(to need: inout MemoryNeed) {
    var largest = 0
    for spec in specs {
      guard let route = routes[spec.name], route.isConverted else { continue }
      let size = route.dtype.byteCount
      need.add("files", spec.elements, times: size)
      largest = max(largest, spec.elements * (size == 8 ? 12 : 4))
    }
    need.add("files", largest)
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
  ///
  /// - Throws: `.usage` for renames that name nothing, and as the plan does.
  public func inputPlan(_ kernel: any Kernel) throws(NPUError) -> InputPlan? {
    let specs = kernel.tensors
    try checkRenames(of: specs)
    return if let source { try InputPlan(specs, from: source) } else { nil }
  }
}

extension TensorSpec {
  /// Every name under which files may hold the tensor or its scales.
  var fileNames: [String] {
    let names = [name] + aliases
    return format == .mxint8 ? names + names.map { $0 + ".scale" } : names
  }
}
