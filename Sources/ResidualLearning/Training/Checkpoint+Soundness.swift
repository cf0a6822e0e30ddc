// Checkpoint+Soundness.swift: what a description of a run may say.
//
// Tests       Tests/ResidualLearningTests/Training/CheckpointTests.swift

extension Checkpoint.Description {
  /// Whether there can be such a run: a description from a file may say anything, also what would stop the program later.
  var isSound: Bool {
    architecture.isSound && recipe.isSound && state.isSound(for: recipe) && classNames.count == architecture.classes
  }
}

extension Recipe {
  /// Whether a trainer can follow it.
  var isSound: Bool {
    let numbers: [Double] = [rate, momentum, decay, statisticsRate, warmUp?.rate ?? 0, warmUp?.untilError ?? 0]
    return (1...65536).contains(batch) && (0...(1 << 40)).contains(iterations)
      && numbers.allSatisfy { $0.isFinite && $0 >= 0 } && (0..<1).contains(validationShare)
      && (0...1024).contains(augmentation.padding) && augmentation.scaled?.isSound ?? true
  }
}

extension Augmentation.ScaledCrops {
  /// Whether pictures can be resized and cropped so.
  fileprivate var isSound: Bool {
    let vectors = (colors?.eigenvectors ?? []) + [colors?.eigenvalues ?? [0, 0, 0]]
    return (1...4096).contains(size) && scales.lowerBound >= size && scales.upperBound <= 8192
      && vectors.allSatisfy { $0.count == 3 && $0.allSatisfy(\.isFinite) }
  }
}

extension TrainingState {
  /// Whether a run of this recipe can stand there.
  func isSound(for recipe: Recipe) -> Bool {
    (0...recipe.iterations).contains(iteration) && recentErrors.count <= 100
      && epochLoss.isFinite && (0...(1 << 56)).contains(epochErrors) && (0...(1 << 56)).contains(epochCount)
  }
}
