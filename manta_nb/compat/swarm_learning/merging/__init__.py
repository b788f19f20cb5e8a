"""What a merge does with models, as pure functions: by a method's name, or by a user's function."""
