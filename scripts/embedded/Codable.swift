// Codable.swift: Embedded Swift has no `Codable`. Compiled into ResidualLearning there, this takes the name; what a
// checkpoint stores keeps its declaration, and nothing is stored.

public protocol Codable {}
