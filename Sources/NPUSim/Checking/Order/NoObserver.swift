/// Executes an order for its end alone.
struct NoObserver: OrderObserver {
  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {}

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {}
}
