import NPUSim

/// The weights of a Llama as they are published: tensors in Hugging Face's or Meta's names with their
/// configuration beside them. Words are read when they are asked for.
public struct Checkpoint: Sendable {
  public let configuration: CheckpointConfiguration
  private let archive: TensorArchive

  public var model: Model { configuration.model }

  /// Files of weights that a folder may hold, and its configurations.
  private static let weightFiles = ["model.safetensors", "consolidated.00.safetensors"]
  private static let configurationFiles: [(name: String, naming: ModelWeight.Naming)] = [
    ("config.json", .huggingFace), ("params.json", .meta),
  ]
  /// No configuration is longer.
  private static let largestConfiguration = 1 << 20
  /// Buffers that some checkpoints hold besides: frequencies, which follow from the configuration.
  private static let surplusSuffixes = ["rotary_emb.inv_freq", "rope.freqs"]

  /// The checkpoint in a folder, or the file of weights in one.
  ///
  /// - Throws: `.io` where a file is missing, `.parse` for a configuration without sense, `.tensor` for
  ///   tensors that are missing, surplus, or of another type or shape than the configuration says; all of
  ///   them are named.
  public init(_ path: String) throws(NPUError) {
    let isFolder = FolderAccess.isFolder(path)
    let folder = isFolder ? path : Self.folder(of: path)
    let names = try FolderAccess.names(in: folder)
    let file: String
    if isFolder {
      guard let name = Self.weightFiles.first(where: names.contains) else {
        throw NPUError(
          .io,
          "\(path) holds no weights: found none of "
            + Self.weightFiles.joined(separator: " and "),
          hint: names.contains { $0.hasSuffix(".safetensors.index.json") }
            ? "it is in shards, which are not read: join them into \(Self.weightFiles[0])"
            : "give the folder of a checkpoint in safetensors form")
      }
      file = "\(folder)/\(name)"
    } else {
      file = path
    }
    // A folder or a pipe of that name is no checkpoint, whatever it would hold.
    _ = try FileReader(file)
    archive = try TensorArchive(file)
    guard let found = Self.configurationFiles.first(where: { names.contains($0.name) }) else {
      throw NPUError(
        .io, "there is no config.json and no params.json beside \(file)",
        hint: "the shapes of the model are in one of them: copy it there")
    }
    let place = "\(folder)/\(found.name)"
    let json = try JSONValue.parse(
      try FileReader.contents(of: place, limit: Self.largestConfiguration), file: place)
    let embedding = archive[ModelWeight.embedding.name(found.naming)]?.shape.first
    configuration = try CheckpointConfiguration(
      json, naming: found.naming, name: Self.name(of: folder), vocabulary: embedding,
      hasHead: archive[ModelWeight.head.name(found.naming)] != nil)
    try checkTensors()
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  private static func name(of folder: String) -> String {
    folder.split(separator: "/").last.map(String.init) ?? folder
  }

  /// The words of a weight, rounded to BF16 once where they are FP16 or FP32.
  ///
  /// - Throws: `.io` where they cannot be read, `.tensor` where one is NaN or infinite, with its place.
  public func weight(_ weight: ModelWeight) throws(NPUError) -> Tensor {
    let tensor = try read(weight)
    return tensor.dtype == .bf16 ? tensor : try tensor.rounded(to: .bf16)
  }

  /// The words of a matrix [out, in] in MXINT8 with blocks along `in`, encoded from what the file has.
  ///
  /// - Throws: as ``weight(_:)``.
  public func encodedWeight(_ weight: ModelWeight) throws(NPUError) -> MXTensor {
    let tensor = try read(weight)
    return try HostEncoder.encode(
      tensor.floatsToRound(), TensorSpec("", .mxint8, tensor.shape, role: .input))
  }

  /// The words as the file has them, all of them finite.
  private func read(_ weight: ModelWeight) throws(NPUError) -> Tensor {
    let name = weight.name(configuration.naming)
    guard let dtype = archive[name]?.candidates.first,
      let tensor = try archive.read([.init(name, dtype)])[.init(name, dtype)]
    else { throw NPUError(.internal, "the weight \(name) is not in the checkpoint") }
    let found = tensor.nonFinite()
    let count = found.nans + found.infinities
    guard count == 0 else {
      let place = (0..<tensor.elementCount).first { !tensor.value(at: $0).isFinite } ?? 0
      throw NPUError(
        .tensor,
        "\(archive.origin.map(ForeignText.visible) ?? "the checkpoint"): \(name) has "
          + "\(count.counted("element")) that \(count == 1 ? "is" : "are") "
          + "NaN or infinite, the first at \(ExpectationCheck.index(place, tensor.shape))",
        hint: "every logit would be NaN: take another copy of the checkpoint")
    }
    return tensor
  }

  // MARK: What must be there

  private func checkTensors() throws(NPUError) {
    var problems: [String] = []
    var known: Set<String> = []
    for weight in ModelWeight.all(of: model, isTied: configuration.isTied) {
      let name = weight.name(configuration.naming)
      known.insert(name)
      let shape = weight.shape(in: model)
      guard let entry = archive[name] else {
        problems.append("\(name) is missing, needed \(shape)")
        continue
      }
      if let fault = entry.fault {
        problems.append(fault.message)
      } else if entry.shape != shape {
        problems.append("\(name) is \(entry.shape), needed \(shape)")
      } else if entry.candidates.count != 1 || !entry.candidates.allSatisfy(Self.isWeight) {
        problems.append("\(name) is \(ForeignText.visible(entry.type)), needed BF16, F16 or F32")
      }
    }
    // A head that is the embedding is written out by some.
    known.insert(ModelWeight.head.name(configuration.naming))
    for entry in archive.entries
    where !known.contains(entry.name) && !Self.surplusSuffixes.contains(where: entry.name.hasSuffix)
    {
      problems.append("\(ForeignText.visible(entry.name)) \(entry.shape) is no weight of a Llama")
    }
    guard !problems.isEmpty else { return }
    let shown = problems.prefix(5).joined(separator: "; ")
    let rest = problems.count > 5 ? "; and \(problems.count - 5) more" : ""
    throw NPUError(
      .tensor,
      "\(archive.origin.map(ForeignText.visible) ?? "the checkpoint") does not go with its "
        + "configuration: \(shown)\(rest)",
      hint: "the configuration asks for \(model.summary)")
  }

  private static func isWeight(_ dtype: DType) -> Bool { [.bf16, .f16, .f32].contains(dtype) }
}
