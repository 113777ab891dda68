/// What a kernel takes in the place of a tensor of its own: a view of a tensor that others use, too.
public struct TensorBinding: Sendable, Hashable {
  /// The name of the tensor: all that is bound to one name is bound to the same bytes.
  public var tensor: String
  public var view: TensorView

  public init(_ tensor: String, _ view: TensorView) {
    self.tensor = tensor
    self.view = view
  }
}

/// The bindings of a kernel, by the names that it declares.
public typealias TensorBindings = [String: TensorBinding]
