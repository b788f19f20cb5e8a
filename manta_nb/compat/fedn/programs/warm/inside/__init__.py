"""What runs in the process that programs are forked from: the standard library only, so that any Python can run it."""
