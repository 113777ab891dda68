extension MachineState {
  /// Memories just large enough for a program, with the settings of its machine.
  public convenience init(_ program: Program) {
    self.init(
      buffers: program.buffers, indexLists: program.indexLists, cores: program.cores.count,
      settings: DatapathSettings(program.machine))
  }
}
