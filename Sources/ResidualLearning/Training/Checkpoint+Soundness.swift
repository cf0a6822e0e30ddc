// Checkpoint+Soundness.swift: what a description of a run may say.
//
// Tests       Tests/ResidualLearningTests/Training/CheckpointTests.swift

extension Checkpoint.Description {
  /// Whether there can be such a run. A file may describe anything, even a run that would stop the program later.
  var isSound: Bool {
    architecture.isSound && recipe.isSound && state.isSound(for: recipe) && classNames.count == architecture.classes
  }
}

extension Augmentation {
  /// Whether views can be drawn with these numbers.
  var isSound: Bool {
    guard (0...1024).contains(padding), let scaled else { return (0...1024).contains(padding) }
    let colors = scaled.colors.map { [$0.eigenvalues] + $0.eigenvectors } ?? []
    return (1...1024).contains(scaled.size) && scaled.scales.lowerBound >= scaled.size
      && scaled.scales.upperBound <= 4096 && (colors.isEmpty || colors.count == 4)
      && colors.allSatisfy { $0.count == 3 && $0.allSatisfy(\.isFinite) }
  }
}

extension PlateauSchedule {
  /// Whether a run can go on with this schedule.
  var isSound: Bool { rate.isFinite && rate >= 0 && (0...(1 << 40)).contains(waited) && patience > 0 }
}

extension TrainingState {
  /// Whether a run of this recipe can be in this state.
  func isSound(for recipe: Recipe) -> Bool {
    (0...recipe.iterations).contains(iteration) && recentErrors.count <= 100
      && (plateau?.isSound ?? true) && (plateau == nil) == (recipe.plateau == nil) && epochLoss.isFinite
      && (0...(1 << 56)).contains(epochErrors) && (0...(1 << 56)).contains(epochCount)
  }
}
