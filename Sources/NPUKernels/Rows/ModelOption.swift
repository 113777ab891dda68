import NPUSim

/// The flag `--model`, which fills in the shapes of a published model.
enum ModelOption {
  /// The flag; its default is no model.
  static let option = KernelOption(
    "model", .choice(["none"] + Model.all.map(\.name)),
    "take the shapes of a model; flags that are given win")

  /// The model that is named, or `nil`.
  static func model(_ arguments: KernelArguments) throws(NPUError) -> Model? {
    let name = arguments.choice("model")
    return name == "none" ? nil : try Model.named(name)
  }

  /// An extent with a default that a model may replace.
  static func extent(_ name: String, _ standard: Int, _ help: String) -> KernelOption {
    KernelOption(
      name, .integer(standard: nil, minimum: 1), help, standardText: "\(standard), or the model's")
  }
}
