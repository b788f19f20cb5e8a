"""The run as a state machine: events in, instructions out, no I/O."""
