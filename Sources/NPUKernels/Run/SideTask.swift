import Dispatch
import NPUSim
import Synchronization

/// A piece of work that another thread does while the caller goes on; with one processor, in turns.
final class SideTask<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, NPUError>?>(nil)
  private let group = DispatchGroup()

  /// Begins the work.
  init(_ work: @escaping @Sendable () throws(NPUError) -> Value) {
    DispatchQueue.global(qos: .userInitiated).async(group: group) {
      let result: Result<Value, NPUError>
      do throws(NPUError) {
        result = .success(try work())
      } catch {
        result = .failure(error)
      }
      self.outcome.withLock { $0 = result }
    }
  }

  /// What the work gave, once it has ended; throws what it threw.
  func value() throws(NPUError) -> Value {
    group.wait()
    guard let result = outcome.withLock({ $0 }) else {
      throw NPUError(.internal, "a piece of work ended without a result")
    }
    return try result.get()
  }
}
