import NPUSim

/// The tensors that a file gives a run, as the file has them.
struct GivenInputs: Sendable {
  private let source: TensorSource
  private let routes: [String: InputRoute]
  private let tensors: [TensorArchive.Selection: Tensor]

  init(
    _ source: TensorSource, routes: [String: InputRoute],
    tensors: [TensorArchive.Selection: Tensor]
  ) {
    self.source = source
    self.routes = routes
    self.tensors = tensors
  }

  /// The words of a tensor of the kernel; `nil` where the file does not give it.
  ///
  /// - Throws: `.tensor` for values that its type does not hold, and for scales that do not fit.
  func value(of spec: TensorSpec) throws(NPUError) -> TensorValue? {
    guard let route = routes[spec.name],
      let tensor = tensors[.init(route.fileName, route.dtype)]
    else { return nil }
    switch route.way {
    case .words: return .plain(tensor)
    case .indices:
      let place = source.archive.origin.map { " in \($0)" } ?? ""
      return .plain(try tensor.indices(named: spec.name + place))
    case .scales: return .plain(try tensor.scalesAsFP32())
    case .cast: return .plain(try tensor.rounded(to: spec.format.dtype))
    case .encode: return .mx(try HostEncoder.encode(tensor.floatsToRound(), spec))
    case .pair(let scales): return try pair(spec, route, tensor, scales)
    }
  }

  private func pair(
    _ spec: TensorSpec, _ route: InputRoute, _ payload: Tensor, _ scales: String
  ) throws(NPUError) -> TensorValue? {
    guard let scale = tensors[.init(scales, .e8m0)] else { return nil }
    var set = TensorSet()
    set.origin = source.archive.origin
    try set.insert(payload, named: spec.name)
    try set.insert(scale, named: spec.name + ".scale")
    set.metadata[spec.name + ".axis"] = source.archive.metadata[route.fileName + ".axis"]
    let tensor = try set.mxTensor(named: spec.name, expectedAxis: spec.fileAxis)
    guard tensor.axis - spec.shape.count == spec.fileAxis else {
      throw NPUError(
        .tensor,
        "\(source.prefix)\(spec.name) has its blocks along axis \(tensor.axis), needed "
          + "\(spec.fileAxis)",
        hint: "state the axis in the metadata: \"\(route.fileName).axis\": \"\(spec.fileAxis)\"")
    }
    return .mx(tensor)
  }
}
