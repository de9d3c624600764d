"""The viewer's face: forms, layers, readers and writers for napari."""
