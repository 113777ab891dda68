/// HBM tensors by name that outlive the programs which read and write them: weights, caches, activations.
///
/// A tensor is declared before it is used. Bytes are taken when it is first written or a program runs on
/// it; what was never written stays poison, whichever program reads it.
public final class TensorMemory {
  private var forms: [String: TensorForm] = [:]
  private var storages: [String: TensorStorage] = [:]
  /// The most that all tensors may take.
  private let limit: MemoryLimit

  public init(limit: MemoryLimit = .ofProcess()) { self.limit = limit }

  /// The names of all tensors.
  public var names: [String] { forms.keys.sorted() }

  /// Declares a tensor. Throws `.tensor` where there is one of the name.
  public func declare(_ name: String, _ form: TensorForm) throws(NPUError) {
    if let known = forms[name] {
      throw NPUError(
        .tensor, "found '\(name)' declared twice, as \(known) and as \(form)",
        hint: "forget the first one, or give the other one a name of its own")
    }
    forms[name] = form
  }

  /// Forgets a tensor, and gives back its bytes.
  public func forget(_ name: String) {
    forms[name] = nil
    storages[name] = nil
  }

  /// What a tensor is. Throws `.tensor` where there is none.
  public func form(of name: String) throws(NPUError) -> TensorForm {
    guard let form = forms[name] else {
      throw NPUError(
        .tensor, "found no tensor '\(name)'", hint: DidYouMean.hint(for: name, among: names))
    }
    return form
  }

  /// All of a tensor, to be bound.
  public func whole(_ name: String) throws(NPUError) -> TensorBinding {
    TensorBinding(name, try form(of: name).whole)
  }

  /// The words of a view; what was never written is 0. Throws `.tensor` where there is no such tensor, or
  /// the view has no rows of elements one beside the other.
  public func read(_ binding: TensorBinding) throws(NPUError) -> TensorWords {
    try checkedStorage(binding).read(binding.view, of: binding.tensor)
  }

  /// Writes the words of a view. Throws as ``read(_:)``, and for another number of bytes.
  public func write(_ words: TensorWords, to binding: TensorBinding) throws(NPUError) {
    try checkedStorage(binding).write(words, to: binding.view, of: binding.tensor)
  }

  private func checkedStorage(_ binding: TensorBinding) throws(NPUError) -> TensorStorage {
    try check(binding)
    return try storage(of: binding.tensor)
  }

  /// Throws `.tensor` for a view of a tensor that is not here, or is another one.
  public func check(_ binding: TensorBinding) throws(NPUError) {
    let form = try form(of: binding.tensor)
    guard form == binding.view.form else {
      throw NPUError(
        .tensor, "found a view of \(binding.view.form), but '\(binding.tensor)' is \(form)",
        hint: "make the view of the tensor's own form")
    }
  }

  /// The bytes of a tensor. Throws `.limit` where all together are more than may be.
  public func storage(of name: String) throws(NPUError) -> TensorStorage {
    let form = try form(of: name)
    if let known = storages[name] { return known }
    var need = MemoryNeed()
    for storage in storages.values { need.add("tensors", Self.bytes(storage.form)) }
    need.add("'\(name)'", Self.bytes(form))
    try need.require(limit)
    let storage = TensorStorage(form)
    storages[name] = storage
    return storage
  }

  /// A bit for each byte says whether it was written.
  private static func bytes(_ form: TensorForm) -> Int {
    (form.payloadBytes + form.scaleBytes) / 8 * 9 + 9
  }
}
