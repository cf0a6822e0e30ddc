// Files.swift: names from the file formats below that users of this library meet without importing `ResidualFiles`.

import ResidualFiles

/// A mistake in what a person gave the program: a file, an option, a piece of data.
public typealias InputError = ResidualFiles.InputError
/// A picture of any size: red, green and blue bytes.
public typealias Picture = ResidualFiles.Picture
/// Curves as an SVG picture.
public typealias LinePlot = ResidualFiles.LinePlot
